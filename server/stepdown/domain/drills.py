"""Faults that may be put into a tier on purpose: what they are, for how long, and why one was not.

A drill rehearses the failures of a real device. Refuses nothing itself: who may ask stands at the edge, and where a
fault can act is known to the worker pool alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from stepdown.domain.errors import StepdownError


class InjectableFault(StrEnum):
    """What can be made to happen. Published: a name never changes its meaning."""

    WORKER_KILLED = "WORKER_KILLED"
    WORKER_STOPPED = "WORKER_STOPPED"
    WORKER_SLOW = "WORKER_SLOW"
    OUTPUT_NAN = "OUTPUT_NAN"
    OUTPUT_WRONG = "OUTPUT_WRONG"
    STICKY_ERROR = "STICKY_ERROR"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    ABORT = "ABORT"
    PLACEMENT_LOST = "PLACEMENT_LOST"
    PROVIDER_LOST = "PROVIDER_LOST"


LOAD_FAULTS = frozenset({InjectableFault.PLACEMENT_LOST, InjectableFault.PROVIDER_LOST})
"""Faults of the device: they hold for every process that is started while they last. The others end with a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjection:
    """One fault for one tier. It is taken back after `duration_s`; `delay_s` is what WORKER_SLOW adds to each run."""

    pathway: str
    tier: str
    fault: InjectableFault
    duration_s: float
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InjectedFault:
    """A fault that was put in. Times are Unix seconds; it may end sooner, with the process that suffers it."""

    injection: FaultInjection
    start_time_s: float
    end_time_s: float


class DrillRefusedError(StepdownError):
    """The fault was not put in; the text says why, and nothing happened."""
