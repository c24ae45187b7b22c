"""Faults that may be put into a server on purpose: what they are, whom they hit, for how long, and why one was not.

A drill rehearses the failures of a real device, machine or network. Refuses nothing itself: who may ask stands at the
edge, and where a fault can act is known to what suffers it alone.
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
    SIGNATURE_BROKEN = "SIGNATURE_BROKEN"
    CLOCK_JUMP = "CLOCK_JUMP"
    CERTIFICATE_EXPIRING = "CERTIFICATE_EXPIRING"
    CPU_HALVED = "CPU_HALVED"
    NETWORK_DELAY = "NETWORK_DELAY"
    NETWORK_PARTITION = "NETWORK_PARTITION"
    LEDGER_DISK_FULL = "LEDGER_DISK_FULL"


LOAD_FAULTS = frozenset({InjectableFault.PLACEMENT_LOST, InjectableFault.PROVIDER_LOST})
"""Faults of the device: they hold for every process that is started while they last. The others end with a process."""

CLIENT_FAULTS = frozenset({InjectableFault.NETWORK_DELAY, InjectableFault.NETWORK_PARTITION})
"""Faults between the server and one client; nobody else may notice."""

SERVER_FAULTS = frozenset(
    {
        InjectableFault.CLOCK_JUMP,
        InjectableFault.CERTIFICATE_EXPIRING,
        InjectableFault.CPU_HALVED,
        InjectableFault.LEDGER_DISK_FULL,
    }
)
"""Faults of the machine that the server runs on: of no tier and no client."""

TIER_FAULTS = frozenset(InjectableFault) - CLIENT_FAULTS - SERVER_FAULTS
"""Faults of one tier."""

DELAYING_FAULTS = frozenset({InjectableFault.WORKER_SLOW, InjectableFault.NETWORK_DELAY})
"""Faults that say by how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjection:
    """One fault. It is taken back after `duration_s`.

    `pathway` and `tier`, or `client` (its identity, as the log names it), or neither: whom the fault is for decides.
    `delay_s` is what WORKER_SLOW adds to each run and NETWORK_DELAY to each answer; `clock_step_s` is how far the wall
    clock jumps, back when below 0; `days_left` is how long the certificate is made to seem good for.
    """

    fault: InjectableFault
    duration_s: float
    pathway: str = ""
    tier: str = ""
    client: str = ""
    delay_s: float = 0.0
    clock_step_s: float = 0.0
    days_left: int = 0

    @property
    def place(self) -> tuple[str, ...]:
        """Whom it hits. One fault at a time may be in a place."""
        if self.fault in TIER_FAULTS:
            return "tier", self.pathway, self.tier
        return ("client", self.client) if self.fault in CLIENT_FAULTS else ("server", self.fault.value)


def place_of(injection: FaultInjection) -> dict[str, str]:
    """Whom it hits, for a log: the pathway and tier, the client, or nothing for the server itself."""
    named = {"pathway": injection.pathway, "tier": injection.tier, "client": injection.client}
    return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InjectedFault:
    """A fault that was put in. Times are Unix seconds; it may end sooner, with the process that suffers it."""

    injection: FaultInjection
    start_time_s: float
    end_time_s: float


class DrillRefusedError(StepdownError):
    """The fault was not put in; the text says why, and nothing happened."""
