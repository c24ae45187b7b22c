import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutcomeEvent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_EVENT_UNSPECIFIED: _ClassVar[OutcomeEvent]
    OUTCOME_EVENT_PREDICTED: _ClassVar[OutcomeEvent]
    OUTCOME_EVENT_UNPLANNED_ICU_ADMISSION: _ClassVar[OutcomeEvent]
    OUTCOME_EVENT_CARDIAC_ARREST: _ClassVar[OutcomeEvent]
    OUTCOME_EVENT_DEATH: _ClassVar[OutcomeEvent]

class FeedbackResponse(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEEDBACK_RESPONSE_UNSPECIFIED: _ClassVar[FeedbackResponse]
    FEEDBACK_RESPONSE_ACCEPTED: _ClassVar[FeedbackResponse]
    FEEDBACK_RESPONSE_OVERRIDDEN: _ClassVar[FeedbackResponse]
    FEEDBACK_RESPONSE_IGNORED: _ClassVar[FeedbackResponse]

class OverrideReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERRIDE_REASON_UNSPECIFIED: _ClassVar[OverrideReason]
    OVERRIDE_REASON_CLINICAL_JUDGEMENT: _ClassVar[OverrideReason]
    OVERRIDE_REASON_ALREADY_TREATED: _ClassVar[OverrideReason]
    OVERRIDE_REASON_OTHER_CAUSE: _ClassVar[OverrideReason]
    OVERRIDE_REASON_INPUT_WRONG: _ClassVar[OverrideReason]
    OVERRIDE_REASON_GOALS_OF_CARE: _ClassVar[OverrideReason]
    OVERRIDE_REASON_TOO_LATE: _ClassVar[OverrideReason]
    OVERRIDE_REASON_OTHER: _ClassVar[OverrideReason]

class FeedbackAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEEDBACK_ACTION_UNSPECIFIED: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_NONE: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_REVIEWED: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_MONITORING_INCREASED: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_TESTS_ORDERED: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_TREATED: _ClassVar[FeedbackAction]
    FEEDBACK_ACTION_ESCALATED: _ClassVar[FeedbackAction]
OUTCOME_EVENT_UNSPECIFIED: OutcomeEvent
OUTCOME_EVENT_PREDICTED: OutcomeEvent
OUTCOME_EVENT_UNPLANNED_ICU_ADMISSION: OutcomeEvent
OUTCOME_EVENT_CARDIAC_ARREST: OutcomeEvent
OUTCOME_EVENT_DEATH: OutcomeEvent
FEEDBACK_RESPONSE_UNSPECIFIED: FeedbackResponse
FEEDBACK_RESPONSE_ACCEPTED: FeedbackResponse
FEEDBACK_RESPONSE_OVERRIDDEN: FeedbackResponse
FEEDBACK_RESPONSE_IGNORED: FeedbackResponse
OVERRIDE_REASON_UNSPECIFIED: OverrideReason
OVERRIDE_REASON_CLINICAL_JUDGEMENT: OverrideReason
OVERRIDE_REASON_ALREADY_TREATED: OverrideReason
OVERRIDE_REASON_OTHER_CAUSE: OverrideReason
OVERRIDE_REASON_INPUT_WRONG: OverrideReason
OVERRIDE_REASON_GOALS_OF_CARE: OverrideReason
OVERRIDE_REASON_TOO_LATE: OverrideReason
OVERRIDE_REASON_OTHER: OverrideReason
FEEDBACK_ACTION_UNSPECIFIED: FeedbackAction
FEEDBACK_ACTION_NONE: FeedbackAction
FEEDBACK_ACTION_REVIEWED: FeedbackAction
FEEDBACK_ACTION_MONITORING_INCREASED: FeedbackAction
FEEDBACK_ACTION_TESTS_ORDERED: FeedbackAction
FEEDBACK_ACTION_TREATED: FeedbackAction
FEEDBACK_ACTION_ESCALATED: FeedbackAction

class RecordOutcomeRequest(_message.Message):
    __slots__ = ("report_id", "record_id", "outcome", "feedback")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    record_id: str
    outcome: OutcomeLabel
    feedback: Feedback
    def __init__(self, report_id: _Optional[str] = ..., record_id: _Optional[str] = ..., outcome: _Optional[_Union[OutcomeLabel, _Mapping]] = ..., feedback: _Optional[_Union[Feedback, _Mapping]] = ...) -> None: ...

class RecordOutcomeResponse(_message.Message):
    __slots__ = ("record_id",)
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    def __init__(self, record_id: _Optional[str] = ...) -> None: ...

class OutcomeLabel(_message.Message):
    __slots__ = ("event", "occurred", "onset_time", "ascertained_time")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_FIELD_NUMBER: _ClassVar[int]
    ONSET_TIME_FIELD_NUMBER: _ClassVar[int]
    ASCERTAINED_TIME_FIELD_NUMBER: _ClassVar[int]
    event: OutcomeEvent
    occurred: bool
    onset_time: _timestamp_pb2.Timestamp
    ascertained_time: _timestamp_pb2.Timestamp
    def __init__(self, event: _Optional[_Union[OutcomeEvent, str]] = ..., occurred: _Optional[bool] = ..., onset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ascertained_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Feedback(_message.Message):
    __slots__ = ("response", "override_reason", "action", "user_token", "location", "feedback_time", "comment")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_REASON_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    USER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_TIME_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    response: FeedbackResponse
    override_reason: OverrideReason
    action: FeedbackAction
    user_token: str
    location: str
    feedback_time: _timestamp_pb2.Timestamp
    comment: str
    def __init__(self, response: _Optional[_Union[FeedbackResponse, str]] = ..., override_reason: _Optional[_Union[OverrideReason, str]] = ..., action: _Optional[_Union[FeedbackAction, str]] = ..., user_token: _Optional[str] = ..., location: _Optional[str] = ..., feedback_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., comment: _Optional[str] = ...) -> None: ...
