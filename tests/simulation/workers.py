"""Fake workers: they load, answer, hang, lie, raise and die as the schedule of a seed has it."""

from dataclasses import dataclass, field
from enum import StrEnum

from stepdown.domain.engine_effects import SpawnWorker


class Vice(StrEnum):
    """What is wrong with a worker for now."""

    NONE = "none"
    SLOW = "slow"
    HUNG = "hung"
    NOT_FINITE = "not-finite"
    GARBAGE = "garbage"  # finite but wrong: only a golden probe can tell
    POISONED = "poisoned"  # live input fails, the golden probes do not
    RAISES = "raises"
    STICKY = "sticky"
    SHORT_REPLY = "short-reply"


class LoadFate(StrEnum):
    """How the next start of a tier's worker ends."""

    READY = "ready"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    DIES = "dies"
    NEVER = "never"


@dataclass(slots=True, kw_only=True, eq=False)
class SimulatedWorker:
    """One process that the engine ordered."""

    order: SpawnWorker
    vice: Vice = Vice.NONE
    unkillable: bool = False
    alive: bool = True
    ready: bool = False
    killed: bool = False
    condemned: bool = False
    probes_passed: int = 0
    busy_until_s: float = 0.0
    slots: dict[int, int] = field(default_factory=dict)
