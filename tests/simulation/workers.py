"""Fake workers: they load, answer, hang, lie, raise and die as the schedule has it."""

from dataclasses import dataclass, field
from enum import StrEnum

from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.reasons import Reason


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
    OTHER_REPLY = "other-reply"  # a batch is answered as if it had been a probe, and a probe as a batch
    REPEATS = "repeats"  # says everything twice, and answers what was never asked


class LoadFate(StrEnum):
    """How the next start of a tier's worker ends."""

    READY = "ready"
    REFUSED = "refused"
    DIES = "dies"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start to come. `reason` is what a refusal gives."""

    fate: LoadFate = LoadFate.READY
    reason: Reason = Reason.KNOWN_ANSWER_MISMATCH
    load_s: float = 0.05


@dataclass(slots=True, kw_only=True, eq=False)
class SimulatedWorker:
    """One process that the engine ordered. `slots`: the sequence that each holds. `condemned`: it was seen to lie."""

    order: SpawnWorker
    vice: Vice = Vice.NONE
    reason: Reason = Reason.EXECUTION_FAILED
    is_unkillable: bool = False
    alive: bool = True
    gone: bool = False
    ready: bool = False
    killed: bool = False
    given_up_s: float | None = None
    condemned: bool = False
    probes_passed: int = 0
    busy_until_s: float = 0.0
    slots: dict[int, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether it would answer rightly and soon."""
        return self.vice is Vice.NONE and self.alive and not self.killed
