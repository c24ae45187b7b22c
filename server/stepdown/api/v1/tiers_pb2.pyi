from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionProvider(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_PROVIDER_UNSPECIFIED: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_CUDA: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_TENSORRT: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_MIGRAPHX: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_ROCM: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_CPU: _ClassVar[ExecutionProvider]
    EXECUTION_PROVIDER_RULES: _ClassVar[ExecutionProvider]

class TierState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIER_STATE_UNSPECIFIED: _ClassVar[TierState]
    TIER_STATE_STARTING: _ClassVar[TierState]
    TIER_STATE_PROBATION: _ClassVar[TierState]
    TIER_STATE_SERVING: _ClassVar[TierState]
    TIER_STATE_SUSPENDED: _ClassVar[TierState]
    TIER_STATE_QUARANTINED: _ClassVar[TierState]
    TIER_STATE_DISABLED: _ClassVar[TierState]
    TIER_STATE_REFUSED: _ClassVar[TierState]

class Capability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAPABILITY_UNSPECIFIED: _ClassVar[Capability]
    CAPABILITY_FULL: _ClassVar[Capability]
    CAPABILITY_DEGRADED: _ClassVar[Capability]
    CAPABILITY_RULES_ONLY: _ClassVar[Capability]
    CAPABILITY_NONE: _ClassVar[Capability]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_NOT_CONFIGURED: _ClassVar[Reason]
    REASON_PROVIDER_UNAVAILABLE: _ClassVar[Reason]
    REASON_PLACEMENT_TOO_LOW: _ClassVar[Reason]
    REASON_SIGNATURE_INVALID: _ClassVar[Reason]
    REASON_KNOWN_ANSWER_MISMATCH: _ClassVar[Reason]
    REASON_STARTING: _ClassVar[Reason]
    REASON_PROBATION: _ClassVar[Reason]
    REASON_BREAKER_OPEN: _ClassVar[Reason]
    REASON_WORKER_LOST: _ClassVar[Reason]
    REASON_WORKER_HUNG: _ClassVar[Reason]
    REASON_EXECUTION_FAILED: _ClassVar[Reason]
    REASON_OUTPUT_INVALID: _ClassVar[Reason]
    REASON_OUT_OF_MEMORY: _ClassVar[Reason]
    REASON_DEADLINE_TOO_SHORT: _ClassVar[Reason]
    REASON_QUEUE_FULL: _ClassVar[Reason]
    REASON_INPUT_UNSUITABLE: _ClassVar[Reason]
    REASON_DRIFT_SUSPENDED: _ClassVar[Reason]
    REASON_DEVICE_UNHEALTHY: _ClassVar[Reason]
    REASON_OPERATOR_DISABLED: _ClassVar[Reason]
    REASON_INTERNAL_FAULT: _ClassVar[Reason]
    REASON_BUNDLE_DENIED: _ClassVar[Reason]
    REASON_BUNDLE_NOT_DECRYPTED: _ClassVar[Reason]
    REASON_EVIDENCE_MISSING: _ClassVar[Reason]
EXECUTION_PROVIDER_UNSPECIFIED: ExecutionProvider
EXECUTION_PROVIDER_CUDA: ExecutionProvider
EXECUTION_PROVIDER_TENSORRT: ExecutionProvider
EXECUTION_PROVIDER_MIGRAPHX: ExecutionProvider
EXECUTION_PROVIDER_ROCM: ExecutionProvider
EXECUTION_PROVIDER_CPU: ExecutionProvider
EXECUTION_PROVIDER_RULES: ExecutionProvider
TIER_STATE_UNSPECIFIED: TierState
TIER_STATE_STARTING: TierState
TIER_STATE_PROBATION: TierState
TIER_STATE_SERVING: TierState
TIER_STATE_SUSPENDED: TierState
TIER_STATE_QUARANTINED: TierState
TIER_STATE_DISABLED: TierState
TIER_STATE_REFUSED: TierState
CAPABILITY_UNSPECIFIED: Capability
CAPABILITY_FULL: Capability
CAPABILITY_DEGRADED: Capability
CAPABILITY_RULES_ONLY: Capability
CAPABILITY_NONE: Capability
REASON_UNSPECIFIED: Reason
REASON_NOT_CONFIGURED: Reason
REASON_PROVIDER_UNAVAILABLE: Reason
REASON_PLACEMENT_TOO_LOW: Reason
REASON_SIGNATURE_INVALID: Reason
REASON_KNOWN_ANSWER_MISMATCH: Reason
REASON_STARTING: Reason
REASON_PROBATION: Reason
REASON_BREAKER_OPEN: Reason
REASON_WORKER_LOST: Reason
REASON_WORKER_HUNG: Reason
REASON_EXECUTION_FAILED: Reason
REASON_OUTPUT_INVALID: Reason
REASON_OUT_OF_MEMORY: Reason
REASON_DEADLINE_TOO_SHORT: Reason
REASON_QUEUE_FULL: Reason
REASON_INPUT_UNSUITABLE: Reason
REASON_DRIFT_SUSPENDED: Reason
REASON_DEVICE_UNHEALTHY: Reason
REASON_OPERATOR_DISABLED: Reason
REASON_INTERNAL_FAULT: Reason
REASON_BUNDLE_DENIED: Reason
REASON_BUNDLE_NOT_DECRYPTED: Reason
REASON_EVIDENCE_MISSING: Reason

class TierIdentity(_message.Message):
    __slots__ = ("pathway", "tier", "execution_provider", "device", "bundle")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    pathway: str
    tier: str
    execution_provider: ExecutionProvider
    device: str
    bundle: BundleIdentity
    def __init__(self, pathway: _Optional[str] = ..., tier: _Optional[str] = ..., execution_provider: _Optional[_Union[ExecutionProvider, str]] = ..., device: _Optional[str] = ..., bundle: _Optional[_Union[BundleIdentity, _Mapping]] = ...) -> None: ...

class BundleIdentity(_message.Message):
    __slots__ = ("name", "version", "sha256", "signers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIGNERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    signers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ..., signers: _Optional[_Iterable[str]] = ...) -> None: ...

class Degradation(_message.Message):
    __slots__ = ("tier", "reason", "detail")
    TIER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    tier: str
    reason: Reason
    detail: str
    def __init__(self, tier: _Optional[str] = ..., reason: _Optional[_Union[Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...
