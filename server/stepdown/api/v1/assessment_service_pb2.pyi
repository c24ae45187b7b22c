import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stepdown.api.v1 import assessments_pb2 as _assessments_pb2
from stepdown.api.v1 import observations_pb2 as _observations_pb2
from stepdown.api.v1 import outcomes_pb2 as _outcomes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessRiskRequest(_message.Message):
    __slots__ = ("request_id", "pathway", "subject_token", "encounter_token", "as_of_time", "indication", "observations", "series", "minimum_tier", "urgency", "strict", "replay", "want_contributions", "correlation_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    INDICATION_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_TIER_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    WANT_CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    pathway: str
    subject_token: str
    encounter_token: str
    as_of_time: _timestamp_pb2.Timestamp
    indication: _observations_pb2.Indication
    observations: _containers.RepeatedCompositeFieldContainer[_observations_pb2.Observation]
    series: _containers.RepeatedCompositeFieldContainer[_observations_pb2.ObservationSeries]
    minimum_tier: str
    urgency: _observations_pb2.Urgency
    strict: bool
    replay: bool
    want_contributions: bool
    correlation_id: str
    def __init__(self, request_id: _Optional[str] = ..., pathway: _Optional[str] = ..., subject_token: _Optional[str] = ..., encounter_token: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., indication: _Optional[_Union[_observations_pb2.Indication, _Mapping]] = ..., observations: _Optional[_Iterable[_Union[_observations_pb2.Observation, _Mapping]]] = ..., series: _Optional[_Iterable[_Union[_observations_pb2.ObservationSeries, _Mapping]]] = ..., minimum_tier: _Optional[str] = ..., urgency: _Optional[_Union[_observations_pb2.Urgency, str]] = ..., strict: _Optional[bool] = ..., replay: _Optional[bool] = ..., want_contributions: _Optional[bool] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class AssessRiskResponse(_message.Message):
    __slots__ = ("assessment",)
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    assessment: _assessments_pb2.Assessment
    def __init__(self, assessment: _Optional[_Union[_assessments_pb2.Assessment, _Mapping]] = ...) -> None: ...

class BatchAssessRiskRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[AssessRiskRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[AssessRiskRequest, _Mapping]]] = ...) -> None: ...

class BatchAssessRiskResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchAssessRiskResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchAssessRiskResult, _Mapping]]] = ...) -> None: ...

class BatchAssessRiskResult(_message.Message):
    __slots__ = ("request_id", "assessment", "failure")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    assessment: _assessments_pb2.Assessment
    failure: ItemFailure
    def __init__(self, request_id: _Optional[str] = ..., assessment: _Optional[_Union[_assessments_pb2.Assessment, _Mapping]] = ..., failure: _Optional[_Union[ItemFailure, _Mapping]] = ...) -> None: ...

class StreamAssessRiskRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: AssessRiskRequest
    def __init__(self, request: _Optional[_Union[AssessRiskRequest, _Mapping]] = ...) -> None: ...

class StreamAssessRiskResponse(_message.Message):
    __slots__ = ("request_id", "assessment", "failure")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    assessment: _assessments_pb2.Assessment
    failure: ItemFailure
    def __init__(self, request_id: _Optional[str] = ..., assessment: _Optional[_Union[_assessments_pb2.Assessment, _Mapping]] = ..., failure: _Optional[_Union[ItemFailure, _Mapping]] = ...) -> None: ...

class ItemFailure(_message.Message):
    __slots__ = ("code", "message", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    details: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ...) -> None: ...
