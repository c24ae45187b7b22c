import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stepdown.api.v1 import bands_pb2 as _bands_pb2
from stepdown.api.v1 import rules_assessment_pb2 as _rules_assessment_pb2
from stepdown.api.v1 import tiers_pb2 as _tiers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AbstentionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ABSTENTION_REASON_UNSPECIFIED: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_OUT_OF_INDICATION_AGE: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_OUT_OF_INDICATION_PREGNANCY: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_LIMITED_VALIDITY: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_NO_CLINICAL_DATA: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_STALE_INPUT: _ClassVar[AbstentionReason]
    ABSTENTION_REASON_INSUFFICIENT_DATA: _ClassVar[AbstentionReason]

class InputIssue(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INPUT_ISSUE_UNSPECIFIED: _ClassVar[InputIssue]
    INPUT_ISSUE_UNIT_SUSPECT: _ClassVar[InputIssue]
    INPUT_ISSUE_UNIT_UNKNOWN: _ClassVar[InputIssue]
    INPUT_ISSUE_UNIT_INCOMPATIBLE: _ClassVar[InputIssue]
    INPUT_ISSUE_FUTURE_OBSERVATION: _ClassVar[InputIssue]
    INPUT_ISSUE_TIME_REQUIRED: _ClassVar[InputIssue]
    INPUT_ISSUE_STALE: _ClassVar[InputIssue]
    INPUT_ISSUE_OUT_OF_RANGE: _ClassVar[InputIssue]
    INPUT_ISSUE_INCONSISTENT: _ClassVar[InputIssue]
    INPUT_ISSUE_STATUS_EXCLUDED: _ClassVar[InputIssue]
    INPUT_ISSUE_WRONG_PATIENT_RETRACTION: _ClassVar[InputIssue]
    INPUT_ISSUE_CODE_INVALID: _ClassVar[InputIssue]
    INPUT_ISSUE_CODE_UNSUPPORTED: _ClassVar[InputIssue]
    INPUT_ISSUE_VALUE_ABSENT: _ClassVar[InputIssue]
    INPUT_ISSUE_VALUE_NOT_CODED: _ClassVar[InputIssue]
    INPUT_ISSUE_ARTEFACT: _ClassVar[InputIssue]
    INPUT_ISSUE_CLOCK_SKEW: _ClassVar[InputIssue]
    INPUT_ISSUE_DUPLICATE: _ClassVar[InputIssue]
    INPUT_ISSUE_CONFLICT: _ClassVar[InputIssue]
    INPUT_ISSUE_IMPLAUSIBLE: _ClassVar[InputIssue]
    INPUT_ISSUE_PREGNANCY_UNKNOWN: _ClassVar[InputIssue]
    INPUT_ISSUE_LIMITED_VALIDITY: _ClassVar[InputIssue]
    INPUT_ISSUE_SCALE2_NOT_CONFIRMED: _ClassVar[InputIssue]
    INPUT_ISSUE_CENSORED: _ClassVar[InputIssue]
    INPUT_ISSUE_SENSOR_SUSPECT: _ClassVar[InputIssue]
    INPUT_ISSUE_TIME_AMBIGUOUS: _ClassVar[InputIssue]
    INPUT_ISSUE_PRELIMINARY: _ClassVar[InputIssue]
    INPUT_ISSUE_DEADLINE_NOT_SET: _ClassVar[InputIssue]
    INPUT_ISSUE_INPUT_CHECK: _ClassVar[InputIssue]
    INPUT_ISSUE_RULES_DISAGREE: _ClassVar[InputIssue]
    INPUT_ISSUE_MODEL_OUT_OF_INDICATION: _ClassVar[InputIssue]
    INPUT_ISSUE_ASSAY_NOT_INTERCHANGEABLE: _ClassVar[InputIssue]
    INPUT_ISSUE_OVERLAY_MISSING: _ClassVar[InputIssue]
ABSTENTION_REASON_UNSPECIFIED: AbstentionReason
ABSTENTION_REASON_OUT_OF_INDICATION_AGE: AbstentionReason
ABSTENTION_REASON_OUT_OF_INDICATION_PREGNANCY: AbstentionReason
ABSTENTION_REASON_LIMITED_VALIDITY: AbstentionReason
ABSTENTION_REASON_NO_CLINICAL_DATA: AbstentionReason
ABSTENTION_REASON_STALE_INPUT: AbstentionReason
ABSTENTION_REASON_INSUFFICIENT_DATA: AbstentionReason
INPUT_ISSUE_UNSPECIFIED: InputIssue
INPUT_ISSUE_UNIT_SUSPECT: InputIssue
INPUT_ISSUE_UNIT_UNKNOWN: InputIssue
INPUT_ISSUE_UNIT_INCOMPATIBLE: InputIssue
INPUT_ISSUE_FUTURE_OBSERVATION: InputIssue
INPUT_ISSUE_TIME_REQUIRED: InputIssue
INPUT_ISSUE_STALE: InputIssue
INPUT_ISSUE_OUT_OF_RANGE: InputIssue
INPUT_ISSUE_INCONSISTENT: InputIssue
INPUT_ISSUE_STATUS_EXCLUDED: InputIssue
INPUT_ISSUE_WRONG_PATIENT_RETRACTION: InputIssue
INPUT_ISSUE_CODE_INVALID: InputIssue
INPUT_ISSUE_CODE_UNSUPPORTED: InputIssue
INPUT_ISSUE_VALUE_ABSENT: InputIssue
INPUT_ISSUE_VALUE_NOT_CODED: InputIssue
INPUT_ISSUE_ARTEFACT: InputIssue
INPUT_ISSUE_CLOCK_SKEW: InputIssue
INPUT_ISSUE_DUPLICATE: InputIssue
INPUT_ISSUE_CONFLICT: InputIssue
INPUT_ISSUE_IMPLAUSIBLE: InputIssue
INPUT_ISSUE_PREGNANCY_UNKNOWN: InputIssue
INPUT_ISSUE_LIMITED_VALIDITY: InputIssue
INPUT_ISSUE_SCALE2_NOT_CONFIRMED: InputIssue
INPUT_ISSUE_CENSORED: InputIssue
INPUT_ISSUE_SENSOR_SUSPECT: InputIssue
INPUT_ISSUE_TIME_AMBIGUOUS: InputIssue
INPUT_ISSUE_PRELIMINARY: InputIssue
INPUT_ISSUE_DEADLINE_NOT_SET: InputIssue
INPUT_ISSUE_INPUT_CHECK: InputIssue
INPUT_ISSUE_RULES_DISAGREE: InputIssue
INPUT_ISSUE_MODEL_OUT_OF_INDICATION: InputIssue
INPUT_ISSUE_ASSAY_NOT_INTERCHANGEABLE: InputIssue
INPUT_ISSUE_OVERLAY_MISSING: InputIssue

class Assessment(_message.Message):
    __slots__ = ("request_id", "correlation_id", "pathway", "band", "answered_by", "risk", "abstention", "degradations", "attempts", "rules_assessment", "rules_disagreement", "inputs_used", "inputs_dropped", "input_flags", "as_of_time", "generated_time", "valid_until_time", "trace_id", "recorded", "record_id", "disclaimer")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    BAND_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    ABSTENTION_FIELD_NUMBER: _ClassVar[int]
    DEGRADATIONS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RULES_ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    RULES_DISAGREEMENT_FIELD_NUMBER: _ClassVar[int]
    INPUTS_USED_FIELD_NUMBER: _ClassVar[int]
    INPUTS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    INPUT_FLAGS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    GENERATED_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    DISCLAIMER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    correlation_id: str
    pathway: str
    band: _bands_pb2.Band
    answered_by: _tiers_pb2.TierIdentity
    risk: Risk
    abstention: Abstention
    degradations: _containers.RepeatedCompositeFieldContainer[_tiers_pb2.Degradation]
    attempts: _containers.RepeatedCompositeFieldContainer[TierAttempt]
    rules_assessment: _rules_assessment_pb2.RulesAssessment
    rules_disagreement: bool
    inputs_used: _containers.RepeatedCompositeFieldContainer[UsedInput]
    inputs_dropped: _containers.RepeatedCompositeFieldContainer[DroppedInput]
    input_flags: _containers.RepeatedCompositeFieldContainer[InputFlag]
    as_of_time: _timestamp_pb2.Timestamp
    generated_time: _timestamp_pb2.Timestamp
    valid_until_time: _timestamp_pb2.Timestamp
    trace_id: str
    recorded: bool
    record_id: str
    disclaimer: str
    def __init__(self, request_id: _Optional[str] = ..., correlation_id: _Optional[str] = ..., pathway: _Optional[str] = ..., band: _Optional[_Union[_bands_pb2.Band, str]] = ..., answered_by: _Optional[_Union[_tiers_pb2.TierIdentity, _Mapping]] = ..., risk: _Optional[_Union[Risk, _Mapping]] = ..., abstention: _Optional[_Union[Abstention, _Mapping]] = ..., degradations: _Optional[_Iterable[_Union[_tiers_pb2.Degradation, _Mapping]]] = ..., attempts: _Optional[_Iterable[_Union[TierAttempt, _Mapping]]] = ..., rules_assessment: _Optional[_Union[_rules_assessment_pb2.RulesAssessment, _Mapping]] = ..., rules_disagreement: _Optional[bool] = ..., inputs_used: _Optional[_Iterable[_Union[UsedInput, _Mapping]]] = ..., inputs_dropped: _Optional[_Iterable[_Union[DroppedInput, _Mapping]]] = ..., input_flags: _Optional[_Iterable[_Union[InputFlag, _Mapping]]] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., generated_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace_id: _Optional[str] = ..., recorded: _Optional[bool] = ..., record_id: _Optional[str] = ..., disclaimer: _Optional[str] = ...) -> None: ...

class Risk(_message.Message):
    __slots__ = ("probability", "semantics", "contributions")
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    probability: float
    semantics: ScoreSemantics
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    def __init__(self, probability: _Optional[float] = ..., semantics: _Optional[_Union[ScoreSemantics, _Mapping]] = ..., contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ...) -> None: ...

class ScoreSemantics(_message.Message):
    __slots__ = ("output", "outcome", "horizon", "population", "calibration")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    POPULATION_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    output: str
    outcome: str
    horizon: _duration_pb2.Duration
    population: str
    calibration: str
    def __init__(self, output: _Optional[str] = ..., outcome: _Optional[str] = ..., horizon: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., population: _Optional[str] = ..., calibration: _Optional[str] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("channel", "value")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    channel: str
    value: float
    def __init__(self, channel: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class Abstention(_message.Message):
    __slots__ = ("reason", "text")
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    reason: AbstentionReason
    text: str
    def __init__(self, reason: _Optional[_Union[AbstentionReason, str]] = ..., text: _Optional[str] = ...) -> None: ...

class TierAttempt(_message.Message):
    __slots__ = ("tier", "reason", "elapsed")
    TIER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    tier: str
    reason: _tiers_pb2.Reason
    elapsed: _duration_pb2.Duration
    def __init__(self, tier: _Optional[str] = ..., reason: _Optional[_Union[_tiers_pb2.Reason, str]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class UsedInput(_message.Message):
    __slots__ = ("field", "channel", "value", "unit", "observed_time", "count")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_TIME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    field: str
    channel: str
    value: float
    unit: str
    observed_time: _timestamp_pb2.Timestamp
    count: int
    def __init__(self, field: _Optional[str] = ..., channel: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., observed_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class DroppedInput(_message.Message):
    __slots__ = ("field", "channel", "issue", "hint", "count")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    field: str
    channel: str
    issue: InputIssue
    hint: str
    count: int
    def __init__(self, field: _Optional[str] = ..., channel: _Optional[str] = ..., issue: _Optional[_Union[InputIssue, str]] = ..., hint: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class InputFlag(_message.Message):
    __slots__ = ("issue", "channel", "field", "detail")
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    issue: InputIssue
    channel: str
    field: str
    detail: str
    def __init__(self, issue: _Optional[_Union[InputIssue, str]] = ..., channel: _Optional[str] = ..., field: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
