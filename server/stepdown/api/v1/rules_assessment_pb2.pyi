import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stepdown.api.v1 import bands_pb2 as _bands_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Presence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESENCE_UNSPECIFIED: _ClassVar[Presence]
    PRESENCE_PRESENT: _ClassVar[Presence]
    PRESENCE_MISSING: _ClassVar[Presence]
    PRESENCE_STALE: _ClassVar[Presence]
PRESENCE_UNSPECIFIED: Presence
PRESENCE_PRESENT: Presence
PRESENCE_MISSING: Presence
PRESENCE_STALE: Presence

class RulesAssessment(_message.Message):
    __slots__ = ("band", "complete", "hard_trigger", "answering", "lactate", "supporting", "response", "alternate_scale", "floor")
    BAND_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    HARD_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    ANSWERING_FIELD_NUMBER: _ClassVar[int]
    LACTATE_FIELD_NUMBER: _ClassVar[int]
    SUPPORTING_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ALTERNATE_SCALE_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    band: _bands_pb2.Band
    complete: bool
    hard_trigger: bool
    answering: ScoreResult
    lactate: ScoreResult
    supporting: _containers.RepeatedCompositeFieldContainer[ScoreResult]
    response: str
    alternate_scale: ScoreResult
    floor: _bands_pb2.Band
    def __init__(self, band: _Optional[_Union[_bands_pb2.Band, str]] = ..., complete: _Optional[bool] = ..., hard_trigger: _Optional[bool] = ..., answering: _Optional[_Union[ScoreResult, _Mapping]] = ..., lactate: _Optional[_Union[ScoreResult, _Mapping]] = ..., supporting: _Optional[_Iterable[_Union[ScoreResult, _Mapping]]] = ..., response: _Optional[str] = ..., alternate_scale: _Optional[_Union[ScoreResult, _Mapping]] = ..., floor: _Optional[_Union[_bands_pb2.Band, str]] = ...) -> None: ...

class ScoreResult(_message.Message):
    __slots__ = ("rule_set_id", "total", "minimum_total", "maximum_total", "maximum_possible", "band", "classification", "complete", "parameters", "missing", "ratio")
    RULE_SET_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_POSSIBLE_FIELD_NUMBER: _ClassVar[int]
    BAND_FIELD_NUMBER: _ClassVar[int]
    CLASSIFICATION_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    rule_set_id: str
    total: int
    minimum_total: int
    maximum_total: int
    maximum_possible: int
    band: _bands_pb2.Band
    classification: str
    complete: bool
    parameters: _containers.RepeatedCompositeFieldContainer[ParameterScore]
    missing: _containers.RepeatedScalarFieldContainer[str]
    ratio: float
    def __init__(self, rule_set_id: _Optional[str] = ..., total: _Optional[int] = ..., minimum_total: _Optional[int] = ..., maximum_total: _Optional[int] = ..., maximum_possible: _Optional[int] = ..., band: _Optional[_Union[_bands_pb2.Band, str]] = ..., classification: _Optional[str] = ..., complete: _Optional[bool] = ..., parameters: _Optional[_Iterable[_Union[ParameterScore, _Mapping]]] = ..., missing: _Optional[_Iterable[str]] = ..., ratio: _Optional[float] = ...) -> None: ...

class ParameterScore(_message.Message):
    __slots__ = ("parameter", "value", "coded_value", "unit", "presence", "points", "minimum_points", "maximum_points", "observed_time")
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CODED_VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_POINTS_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_TIME_FIELD_NUMBER: _ClassVar[int]
    parameter: str
    value: float
    coded_value: str
    unit: str
    presence: Presence
    points: int
    minimum_points: int
    maximum_points: int
    observed_time: _timestamp_pb2.Timestamp
    def __init__(self, parameter: _Optional[str] = ..., value: _Optional[float] = ..., coded_value: _Optional[str] = ..., unit: _Optional[str] = ..., presence: _Optional[_Union[Presence, str]] = ..., points: _Optional[int] = ..., minimum_points: _Optional[int] = ..., maximum_points: _Optional[int] = ..., observed_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
