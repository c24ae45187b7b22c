"""What a drill saw, as it happened: every question with its answer, and every move of the tiers. Judges nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question. Times are Unix seconds of this machine; `tier` empty: no answer came, and `failure` says why.

    `intended_s` is when it was due to be sent: latency counts from there, so that a sender held up by a slow server
    hides nothing.
    """

    request_id: str
    intended_s: float
    sent_s: float
    done_s: float
    tier: str
    mislabelled: bool
    failure: str = ""

    @property
    def latency_ms(self) -> float:
        """From when it was due to when its answer was there."""
        return (self.done_s - self.intended_s) * 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A tier came into a state; Unix seconds of the server."""

    at_s: float
    tier: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRecord:
    """A whole drill.

    `fault_start_s` and `fault_end_s` are on the server's clock, which was `clock_ahead_s` ahead of this machine's.
    `holds_for_successors`: the fault is the device's, not one process's.
    """

    tiers: tuple[str, ...]
    faulted: str
    holds_for_successors: bool
    fault_start_s: float
    fault_end_s: float
    clock_ahead_s: float
    asked: tuple[Asked, ...]
    moves: tuple[Move, ...]
