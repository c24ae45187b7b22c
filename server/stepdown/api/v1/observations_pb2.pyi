import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObservationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSERVATION_STATUS_UNSPECIFIED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_FINAL: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_AMENDED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_CORRECTED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_PRELIMINARY: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_REGISTERED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_CANCELLED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_ENTERED_IN_ERROR: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_WRONG_PATIENT: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_UNKNOWN: _ClassVar[ObservationStatus]

class Comparator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARATOR_UNSPECIFIED: _ClassVar[Comparator]
    COMPARATOR_LESS: _ClassVar[Comparator]
    COMPARATOR_LESS_OR_EQUAL: _ClassVar[Comparator]
    COMPARATOR_GREATER: _ClassVar[Comparator]
    COMPARATOR_GREATER_OR_EQUAL: _ClassVar[Comparator]

class Sex(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEX_UNSPECIFIED: _ClassVar[Sex]
    SEX_FEMALE: _ClassVar[Sex]
    SEX_MALE: _ClassVar[Sex]
    SEX_UNKNOWN: _ClassVar[Sex]

class Pregnancy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREGNANCY_UNSPECIFIED: _ClassVar[Pregnancy]
    PREGNANCY_UNKNOWN: _ClassVar[Pregnancy]
    PREGNANCY_NO: _ClassVar[Pregnancy]
    PREGNANCY_YES: _ClassVar[Pregnancy]

class CareSetting(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CARE_SETTING_UNSPECIFIED: _ClassVar[CareSetting]
    CARE_SETTING_WARD: _ClassVar[CareSetting]
    CARE_SETTING_ICU: _ClassVar[CareSetting]
    CARE_SETTING_EMERGENCY_DEPARTMENT: _ClassVar[CareSetting]

class Spo2Scale(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPO2_SCALE_UNSPECIFIED: _ClassVar[Spo2Scale]
    SPO2_SCALE_1: _ClassVar[Spo2Scale]
    SPO2_SCALE_2: _ClassVar[Spo2Scale]

class IcuUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ICU_UNIT_UNSPECIFIED: _ClassVar[IcuUnit]
    ICU_UNIT_MEDICAL: _ClassVar[IcuUnit]
    ICU_UNIT_SURGICAL: _ClassVar[IcuUnit]

class Urgency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    URGENCY_UNSPECIFIED: _ClassVar[Urgency]
    URGENCY_ROUTINE: _ClassVar[Urgency]
    URGENCY_URGENT: _ClassVar[Urgency]
    URGENCY_EMERGENCY: _ClassVar[Urgency]
OBSERVATION_STATUS_UNSPECIFIED: ObservationStatus
OBSERVATION_STATUS_FINAL: ObservationStatus
OBSERVATION_STATUS_AMENDED: ObservationStatus
OBSERVATION_STATUS_CORRECTED: ObservationStatus
OBSERVATION_STATUS_PRELIMINARY: ObservationStatus
OBSERVATION_STATUS_REGISTERED: ObservationStatus
OBSERVATION_STATUS_CANCELLED: ObservationStatus
OBSERVATION_STATUS_ENTERED_IN_ERROR: ObservationStatus
OBSERVATION_STATUS_WRONG_PATIENT: ObservationStatus
OBSERVATION_STATUS_UNKNOWN: ObservationStatus
COMPARATOR_UNSPECIFIED: Comparator
COMPARATOR_LESS: Comparator
COMPARATOR_LESS_OR_EQUAL: Comparator
COMPARATOR_GREATER: Comparator
COMPARATOR_GREATER_OR_EQUAL: Comparator
SEX_UNSPECIFIED: Sex
SEX_FEMALE: Sex
SEX_MALE: Sex
SEX_UNKNOWN: Sex
PREGNANCY_UNSPECIFIED: Pregnancy
PREGNANCY_UNKNOWN: Pregnancy
PREGNANCY_NO: Pregnancy
PREGNANCY_YES: Pregnancy
CARE_SETTING_UNSPECIFIED: CareSetting
CARE_SETTING_WARD: CareSetting
CARE_SETTING_ICU: CareSetting
CARE_SETTING_EMERGENCY_DEPARTMENT: CareSetting
SPO2_SCALE_UNSPECIFIED: Spo2Scale
SPO2_SCALE_1: Spo2Scale
SPO2_SCALE_2: Spo2Scale
ICU_UNIT_UNSPECIFIED: IcuUnit
ICU_UNIT_MEDICAL: IcuUnit
ICU_UNIT_SURGICAL: IcuUnit
URGENCY_UNSPECIFIED: Urgency
URGENCY_ROUTINE: Urgency
URGENCY_URGENT: Urgency
URGENCY_EMERGENCY: Urgency

class Observation(_message.Message):
    __slots__ = ("code_system", "code", "value", "coded_value", "unit", "effective_time", "issued_time", "status", "comparator", "source", "encounter_token", "subject_token", "absent_reason", "time_ambiguous")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CODED_VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    ISSUED_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ABSENT_REASON_FIELD_NUMBER: _ClassVar[int]
    TIME_AMBIGUOUS_FIELD_NUMBER: _ClassVar[int]
    code_system: str
    code: str
    value: float
    coded_value: str
    unit: str
    effective_time: _timestamp_pb2.Timestamp
    issued_time: _timestamp_pb2.Timestamp
    status: ObservationStatus
    comparator: Comparator
    source: str
    encounter_token: str
    subject_token: str
    absent_reason: str
    time_ambiguous: bool
    def __init__(self, code_system: _Optional[str] = ..., code: _Optional[str] = ..., value: _Optional[float] = ..., coded_value: _Optional[str] = ..., unit: _Optional[str] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., issued_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[ObservationStatus, str]] = ..., comparator: _Optional[_Union[Comparator, str]] = ..., source: _Optional[str] = ..., encounter_token: _Optional[str] = ..., subject_token: _Optional[str] = ..., absent_reason: _Optional[str] = ..., time_ambiguous: _Optional[bool] = ...) -> None: ...

class ObservationSeries(_message.Message):
    __slots__ = ("code_system", "code", "unit", "base_time", "offsets_ms", "values", "source")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    BASE_TIME_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    code_system: str
    code: str
    unit: str
    base_time: _timestamp_pb2.Timestamp
    offsets_ms: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    source: str
    def __init__(self, code_system: _Optional[str] = ..., code: _Optional[str] = ..., unit: _Optional[str] = ..., base_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., offsets_ms: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ..., source: _Optional[str] = ...) -> None: ...

class Indication(_message.Message):
    __slots__ = ("age_years", "sex", "pregnancy", "care_setting", "spo2_scale", "spo2_scale_2_confirmed", "suspected_infection", "spinal_cord_injury", "treatment_limits", "hospital_admission_time", "icu_admission_time", "icu_unit")
    AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    PREGNANCY_FIELD_NUMBER: _ClassVar[int]
    CARE_SETTING_FIELD_NUMBER: _ClassVar[int]
    SPO2_SCALE_FIELD_NUMBER: _ClassVar[int]
    SPO2_SCALE_2_CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    SUSPECTED_INFECTION_FIELD_NUMBER: _ClassVar[int]
    SPINAL_CORD_INJURY_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_LIMITS_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_ADMISSION_TIME_FIELD_NUMBER: _ClassVar[int]
    ICU_ADMISSION_TIME_FIELD_NUMBER: _ClassVar[int]
    ICU_UNIT_FIELD_NUMBER: _ClassVar[int]
    age_years: float
    sex: Sex
    pregnancy: Pregnancy
    care_setting: CareSetting
    spo2_scale: Spo2Scale
    spo2_scale_2_confirmed: bool
    suspected_infection: bool
    spinal_cord_injury: bool
    treatment_limits: bool
    hospital_admission_time: _timestamp_pb2.Timestamp
    icu_admission_time: _timestamp_pb2.Timestamp
    icu_unit: IcuUnit
    def __init__(self, age_years: _Optional[float] = ..., sex: _Optional[_Union[Sex, str]] = ..., pregnancy: _Optional[_Union[Pregnancy, str]] = ..., care_setting: _Optional[_Union[CareSetting, str]] = ..., spo2_scale: _Optional[_Union[Spo2Scale, str]] = ..., spo2_scale_2_confirmed: _Optional[bool] = ..., suspected_infection: _Optional[bool] = ..., spinal_cord_injury: _Optional[bool] = ..., treatment_limits: _Optional[bool] = ..., hospital_admission_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., icu_admission_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., icu_unit: _Optional[_Union[IcuUnit, str]] = ...) -> None: ...
