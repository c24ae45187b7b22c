"""Names and states of tiers, execution providers and pathway capability."""

from enum import StrEnum


class ExecutionProvider(StrEnum):
    """Where a model runs. `RULES` marks the tier that runs no model."""

    CUDA = "CUDA"
    TENSORRT = "TensorRT"
    MIGRAPHX = "MIGraphX"
    ROCM = "ROCm"
    CPU = "CPU"
    RULES = "rules"


NVIDIA_PROVIDERS = frozenset({ExecutionProvider.CUDA, ExecutionProvider.TENSORRT})
AMD_PROVIDERS = frozenset({ExecutionProvider.MIGRAPHX, ExecutionProvider.ROCM})


def maker_of(provider: ExecutionProvider) -> str:
    """Whose accelerators a provider runs on: several providers may share one device. Empty for the processor."""
    if provider in NVIDIA_PROVIDERS:
        return "NVIDIA"
    return "AMD" if provider in AMD_PROVIDERS else ""


SERVER_PROCESS = "server process"
"""The device of the tier that runs no model."""


class TierState(StrEnum):
    """Life of a tier. The legal moves are the table in `serving/tier_states.py`."""

    STARTING = "STARTING"
    PROBATION = "PROBATION"
    SERVING = "SERVING"
    SUSPENDED = "SUSPENDED"
    QUARANTINED = "QUARANTINED"
    DISABLED = "DISABLED"
    REFUSED = "REFUSED"


class Capability(StrEnum):
    """What a pathway can do now."""

    FULL = "FULL"
    DEGRADED = "DEGRADED"
    RULES_ONLY = "RULES_ONLY"
    NONE = "NONE"


class Urgency(StrEnum):
    """How soon the caller needs the answer; decides who is served first under overload."""

    ROUTINE = "routine"
    URGENT = "urgent"
    EMERGENCY = "emergency"
