"""What a drill saw, as it happened: every question with its answer, and every move of the tiers. Judges nothing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question. Times are Unix seconds of this machine; `tier` empty: no answer came, and `failure` says why.

    `intended_s` is when it was due to be sent: latency counts from there, so that a sender held up by a slow server
    hides nothing. `mislabelled`: the answer names another bundle, digest, signer or request than it should. `wrong`:
    its number or band is not the one that its tier gives to this question.
    """

    request_id: str
    intended_s: float
    sent_s: float
    done_s: float
    tier: str
    mislabelled: bool
    wrong: bool = False
    failure: str = ""

    @property
    def latency_ms(self) -> float:
        """From when it was due to when its answer was there."""
        return (self.done_s - self.intended_s) * 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A tier came into a state at `at_s`, Unix seconds of the server; `heard_s` is when that was heard of here."""

    at_s: float
    tier: str
    state: str
    reason: str
    heard_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When the alarm that a drill expects was first seen, and first seen no more; Unix seconds of this machine."""

    seen_s: float | None = None
    gone_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRecord:
    """A whole drill.

    `fault_start_s` and `fault_end_s` are on the server's clock, which was `clock_ahead_s` ahead of this machine's.
    `faulted` is empty for a fault of no tier. `ends_with_process`: the fault is gone with the process that has it,
    which may be before `fault_end_s`.
    """

    tiers: tuple[str, ...]
    faulted: str
    ends_with_process: bool
    fault_start_s: float
    fault_end_s: float
    clock_ahead_s: float
    asked: tuple[Asked, ...]
    moves: tuple[Move, ...]
    alarm: Sighting = field(default_factory=Sighting)
