import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stepdown.api.v1 import tiers_pb2 as _tiers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlarmKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALARM_KIND_UNSPECIFIED: _ClassVar[AlarmKind]
    ALARM_KIND_CERTIFICATE_EXPIRING: _ClassVar[AlarmKind]
    ALARM_KIND_BUNDLE_DAMAGED: _ClassVar[AlarmKind]
    ALARM_KIND_CHECK_FAILED: _ClassVar[AlarmKind]
    ALARM_KIND_LEDGER_UNAVAILABLE: _ClassVar[AlarmKind]
    ALARM_KIND_BUNDLE_DENIED: _ClassVar[AlarmKind]
    ALARM_KIND_TRUST_POLICY_UNUSABLE: _ClassVar[AlarmKind]
    ALARM_KIND_CHECKPOINT_LATE: _ClassVar[AlarmKind]
    ALARM_KIND_EVIDENCE_MISSING: _ClassVar[AlarmKind]

class Fault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAULT_UNSPECIFIED: _ClassVar[Fault]
    FAULT_WORKER_KILLED: _ClassVar[Fault]
    FAULT_WORKER_STOPPED: _ClassVar[Fault]
    FAULT_WORKER_SLOW: _ClassVar[Fault]
    FAULT_OUTPUT_NAN: _ClassVar[Fault]
    FAULT_OUTPUT_WRONG: _ClassVar[Fault]
    FAULT_STICKY_ERROR: _ClassVar[Fault]
    FAULT_OUT_OF_MEMORY: _ClassVar[Fault]
    FAULT_ABORT: _ClassVar[Fault]
    FAULT_PLACEMENT_LOST: _ClassVar[Fault]
    FAULT_PROVIDER_LOST: _ClassVar[Fault]
    FAULT_SIGNATURE_BROKEN: _ClassVar[Fault]
    FAULT_CLOCK_JUMP: _ClassVar[Fault]
    FAULT_CERTIFICATE_EXPIRING: _ClassVar[Fault]
    FAULT_CPU_HALVED: _ClassVar[Fault]
    FAULT_NETWORK_DELAY: _ClassVar[Fault]
    FAULT_NETWORK_PARTITION: _ClassVar[Fault]
    FAULT_LEDGER_DISK_FULL: _ClassVar[Fault]

class ActivationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATION_STATE_UNSPECIFIED: _ClassVar[ActivationState]
    ACTIVATION_STATE_LOADING: _ClassVar[ActivationState]
    ACTIVATION_STATE_PROBATION: _ClassVar[ActivationState]
    ACTIVATION_STATE_CANARY: _ClassVar[ActivationState]
    ACTIVATION_STATE_PROMOTED: _ClassVar[ActivationState]
    ACTIVATION_STATE_ROLLED_BACK: _ClassVar[ActivationState]
ALARM_KIND_UNSPECIFIED: AlarmKind
ALARM_KIND_CERTIFICATE_EXPIRING: AlarmKind
ALARM_KIND_BUNDLE_DAMAGED: AlarmKind
ALARM_KIND_CHECK_FAILED: AlarmKind
ALARM_KIND_LEDGER_UNAVAILABLE: AlarmKind
ALARM_KIND_BUNDLE_DENIED: AlarmKind
ALARM_KIND_TRUST_POLICY_UNUSABLE: AlarmKind
ALARM_KIND_CHECKPOINT_LATE: AlarmKind
ALARM_KIND_EVIDENCE_MISSING: AlarmKind
FAULT_UNSPECIFIED: Fault
FAULT_WORKER_KILLED: Fault
FAULT_WORKER_STOPPED: Fault
FAULT_WORKER_SLOW: Fault
FAULT_OUTPUT_NAN: Fault
FAULT_OUTPUT_WRONG: Fault
FAULT_STICKY_ERROR: Fault
FAULT_OUT_OF_MEMORY: Fault
FAULT_ABORT: Fault
FAULT_PLACEMENT_LOST: Fault
FAULT_PROVIDER_LOST: Fault
FAULT_SIGNATURE_BROKEN: Fault
FAULT_CLOCK_JUMP: Fault
FAULT_CERTIFICATE_EXPIRING: Fault
FAULT_CPU_HALVED: Fault
FAULT_NETWORK_DELAY: Fault
FAULT_NETWORK_PARTITION: Fault
FAULT_LEDGER_DISK_FULL: Fault
ACTIVATION_STATE_UNSPECIFIED: ActivationState
ACTIVATION_STATE_LOADING: ActivationState
ACTIVATION_STATE_PROBATION: ActivationState
ACTIVATION_STATE_CANARY: ActivationState
ACTIVATION_STATE_PROMOTED: ActivationState
ACTIVATION_STATE_ROLLED_BACK: ActivationState

class ListTiersRequest(_message.Message):
    __slots__ = ("pathway",)
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    def __init__(self, pathway: _Optional[str] = ...) -> None: ...

class ListTiersResponse(_message.Message):
    __slots__ = ("pathways", "alarms", "injected_faults")
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    INJECTED_FAULTS_FIELD_NUMBER: _ClassVar[int]
    pathways: _containers.RepeatedCompositeFieldContainer[PathwayReport]
    alarms: _containers.RepeatedCompositeFieldContainer[Alarm]
    injected_faults: _containers.RepeatedCompositeFieldContainer[InjectedFault]
    def __init__(self, pathways: _Optional[_Iterable[_Union[PathwayReport, _Mapping]]] = ..., alarms: _Optional[_Iterable[_Union[Alarm, _Mapping]]] = ..., injected_faults: _Optional[_Iterable[_Union[InjectedFault, _Mapping]]] = ...) -> None: ...

class Alarm(_message.Message):
    __slots__ = ("kind", "subject", "detail", "start_time")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    kind: AlarmKind
    subject: str
    detail: str
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[AlarmKind, str]] = ..., subject: _Optional[str] = ..., detail: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchTiersRequest(_message.Message):
    __slots__ = ("pathway",)
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    def __init__(self, pathway: _Optional[str] = ...) -> None: ...

class WatchTiersResponse(_message.Message):
    __slots__ = ("pathways",)
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    pathways: _containers.RepeatedCompositeFieldContainer[PathwayReport]
    def __init__(self, pathways: _Optional[_Iterable[_Union[PathwayReport, _Mapping]]] = ...) -> None: ...

class DisableTierRequest(_message.Message):
    __slots__ = ("pathway", "tier", "detail")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    detail: str
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class DisableTierResponse(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: TierReport
    def __init__(self, tier: _Optional[_Union[TierReport, _Mapping]] = ...) -> None: ...

class EnableTierRequest(_message.Message):
    __slots__ = ("pathway", "tier")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ...) -> None: ...

class EnableTierResponse(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: TierReport
    def __init__(self, tier: _Optional[_Union[TierReport, _Mapping]] = ...) -> None: ...

class ActivateBundleRequest(_message.Message):
    __slots__ = ("pathway", "tier", "version", "sha256", "canary_share", "observation", "detail")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CANARY_SHARE_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    version: str
    sha256: str
    canary_share: float
    observation: _duration_pb2.Duration
    detail: str
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ..., canary_share: _Optional[float] = ..., observation: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...

class ActivateBundleResponse(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: TierReport
    def __init__(self, tier: _Optional[_Union[TierReport, _Mapping]] = ...) -> None: ...

class RollbackBundleRequest(_message.Message):
    __slots__ = ("pathway", "tier", "detail")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    detail: str
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class RollbackBundleResponse(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: TierReport
    def __init__(self, tier: _Optional[_Union[TierReport, _Mapping]] = ...) -> None: ...

class InjectFaultRequest(_message.Message):
    __slots__ = ("pathway", "tier", "fault", "duration", "delay", "detail", "client", "clock_step", "days_left")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CLOCK_STEP_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    fault: Fault
    duration: _duration_pb2.Duration
    delay: _duration_pb2.Duration
    detail: str
    client: str
    clock_step: _duration_pb2.Duration
    days_left: int
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ..., fault: _Optional[_Union[Fault, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., detail: _Optional[str] = ..., client: _Optional[str] = ..., clock_step: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., days_left: _Optional[int] = ...) -> None: ...

class InjectFaultResponse(_message.Message):
    __slots__ = ("injected_fault",)
    INJECTED_FAULT_FIELD_NUMBER: _ClassVar[int]
    injected_fault: InjectedFault
    def __init__(self, injected_fault: _Optional[_Union[InjectedFault, _Mapping]] = ...) -> None: ...

class InjectedFault(_message.Message):
    __slots__ = ("fault", "start_time", "end_time", "pathway", "tier", "client")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    fault: Fault
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    pathway: str
    tier: str
    client: str
    def __init__(self, fault: _Optional[_Union[Fault, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pathway: _Optional[str] = ..., tier: _Optional[str] = ..., client: _Optional[str] = ...) -> None: ...

class ActivationReport(_message.Message):
    __slots__ = ("bundle", "replaced_bundle", "state", "canary_share", "observation", "start_time", "state_start_time", "answers", "worker_pid", "reason", "detail")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    REPLACED_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CANARY_SHARE_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_START_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    WORKER_PID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    bundle: _tiers_pb2.BundleIdentity
    replaced_bundle: _tiers_pb2.BundleIdentity
    state: ActivationState
    canary_share: float
    observation: _duration_pb2.Duration
    start_time: _timestamp_pb2.Timestamp
    state_start_time: _timestamp_pb2.Timestamp
    answers: int
    worker_pid: int
    reason: _tiers_pb2.Reason
    detail: str
    def __init__(self, bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., replaced_bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., state: _Optional[_Union[ActivationState, str]] = ..., canary_share: _Optional[float] = ..., observation: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answers: _Optional[int] = ..., worker_pid: _Optional[int] = ..., reason: _Optional[_Union[_tiers_pb2.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class PathwayReport(_message.Message):
    __slots__ = ("name", "capability", "capability_start_time", "tiers", "supporting_rules")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_START_TIME_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    SUPPORTING_RULES_FIELD_NUMBER: _ClassVar[int]
    name: str
    capability: _tiers_pb2.Capability
    capability_start_time: _timestamp_pb2.Timestamp
    tiers: _containers.RepeatedCompositeFieldContainer[TierReport]
    supporting_rules: _containers.RepeatedCompositeFieldContainer[SupportingRulesReport]
    def __init__(self, name: _Optional[str] = ..., capability: _Optional[_Union[_tiers_pb2.Capability, str]] = ..., capability_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tiers: _Optional[_Iterable[_Union[TierReport, _Mapping]]] = ..., supporting_rules: _Optional[_Iterable[_Union[SupportingRulesReport, _Mapping]]] = ...) -> None: ...

class SupportingRulesReport(_message.Message):
    __slots__ = ("name", "state", "bundle", "reason", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _tiers_pb2.TierState
    bundle: _tiers_pb2.BundleIdentity
    reason: _tiers_pb2.Reason
    detail: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_tiers_pb2.TierState, str]] = ..., bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., reason: _Optional[_Union[_tiers_pb2.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class TierReport(_message.Message):
    __slots__ = ("name", "state", "reason", "detail", "state_start_time", "worker_pid", "execution_provider", "device", "placement_share", "bundle", "latency_p50", "latency_p99", "probe_age", "probe_error", "breaker", "queue_rows", "in_flight_rows", "restarts", "answers", "injected_fault", "activation", "previous_bundle")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    STATE_START_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_PID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_SHARE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    PROBE_AGE_FIELD_NUMBER: _ClassVar[int]
    PROBE_ERROR_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ROWS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_ROWS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    INJECTED_FAULT_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _tiers_pb2.TierState
    reason: _tiers_pb2.Reason
    detail: str
    state_start_time: _timestamp_pb2.Timestamp
    worker_pid: int
    execution_provider: _tiers_pb2.ExecutionProvider
    device: str
    placement_share: float
    bundle: _tiers_pb2.BundleIdentity
    latency_p50: _duration_pb2.Duration
    latency_p99: _duration_pb2.Duration
    probe_age: _duration_pb2.Duration
    probe_error: str
    breaker: str
    queue_rows: int
    in_flight_rows: int
    restarts: int
    answers: int
    injected_fault: InjectedFault
    activation: ActivationReport
    previous_bundle: _tiers_pb2.BundleIdentity
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_tiers_pb2.TierState, str]] = ..., reason: _Optional[_Union[_tiers_pb2.Reason, str]] = ..., detail: _Optional[str] = ..., state_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., worker_pid: _Optional[int] = ..., execution_provider: _Optional[_Union[_tiers_pb2.ExecutionProvider, str]] = ..., device: _Optional[str] = ..., placement_share: _Optional[float] = ..., bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., latency_p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., probe_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., probe_error: _Optional[str] = ..., breaker: _Optional[str] = ..., queue_rows: _Optional[int] = ..., in_flight_rows: _Optional[int] = ..., restarts: _Optional[int] = ..., answers: _Optional[int] = ..., injected_fault: _Optional[_Union[InjectedFault, _Mapping]] = ..., activation: _Optional[_Union[ActivationReport, _Mapping]] = ..., previous_bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ...) -> None: ...
