"""A circuit breaker as a table of legal moves over a sliding count of results. Knows no tier, reads no clock."""

from dataclasses import dataclass
from enum import StrEnum

from stepdown.domain.errors import IllegalMoveError


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


LEGAL_MOVES = frozenset(
    {
        (BreakerState.CLOSED, BreakerState.OPEN),
        (BreakerState.OPEN, BreakerState.HALF_OPEN),
        (BreakerState.HALF_OPEN, BreakerState.OPEN),
        (BreakerState.HALF_OPEN, BreakerState.CLOSED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """Opens when at least `minimum_results` of the last `window` results are in and `failure_share` of them failed."""

    window: int = 20
    minimum_results: int = 5
    failure_share: float = 0.5
    open_duration_s: float = 1.0
    maximum_open_duration_s: float = 60.0


class CircuitBreaker:
    """Counts results of one tier; opening again soon doubles the time it stays open."""

    __slots__ = ("_bits", "_count", "_opened_s", "_policy", "_trips", "state")

    def __init__(self, policy: BreakerPolicy) -> None:
        """Start closed with nothing counted."""
        self._policy = policy
        self.state = BreakerState.CLOSED
        self._bits = 0
        self._count = 0
        self._trips = 0
        self._opened_s = 0.0

    def count(self, *, good: int, bad: int, now_s: float) -> bool:
        """Count the results of one batch, good ones first; True when they opened the breaker.

        Closed: opens by share. Half open: one bad result opens it again. Open: nothing is counted.
        """
        if self.state is BreakerState.HALF_OPEN and bad:
            self._open(now_s)
            return True
        if self.state is not BreakerState.CLOSED:
            return False
        window = self._policy.window
        good, bad = min(good, window), min(bad, window)
        self._bits = (((self._bits << good) << bad) | ((1 << bad) - 1)) & ((1 << window) - 1)
        self._count = min(self._count + good + bad, window)
        enough = self._count >= self._policy.minimum_results
        if not (bad and enough and self._bits.bit_count() >= self._policy.failure_share * self._count):
            return False
        self._open(now_s)
        return True

    def half_open_due_s(self) -> float | None:
        """When an open breaker may be tried again; None unless open."""
        if self.state is not BreakerState.OPEN:
            return None
        doublings = min(self._trips - 1, 16)
        return self._opened_s + float(
            min(self._policy.open_duration_s * 2**doublings, self._policy.maximum_open_duration_s)
        )

    def half_open(self) -> None:
        """Let trial traffic through."""
        self._move(BreakerState.HALF_OPEN)

    def close(self) -> None:
        """The trial passed; counting starts afresh, the memory of earlier trips stays."""
        self._move(BreakerState.CLOSED)
        self._bits = 0
        self._count = 0

    def forgive(self) -> None:
        """A long quiet spell: the next opening is short again."""
        self._trips = 0

    def renew(self) -> None:
        """A new worker process stands behind the tier: start closed, but remember earlier trips."""
        self.state = BreakerState.CLOSED
        self._bits = 0
        self._count = 0

    def _open(self, now_s: float) -> None:
        self._move(BreakerState.OPEN)
        self._opened_s = now_s
        self._trips += 1

    def _move(self, state: BreakerState) -> None:
        if (self.state, state) not in LEGAL_MOVES:
            message = f"breaker cannot move from {self.state} to {state}"
            raise IllegalMoveError(message)
        self.state = state
