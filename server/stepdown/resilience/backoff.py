"""Exponential back-off with jitter and a fault budget. The jitter is an argument, so a schedule can be replayed."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """Waits `initial_s * 2**(n-1)` up to `maximum_s` before attempt n, longer by up to `jitter_share`."""

    initial_s: float = 0.2
    maximum_s: float = 30.0
    jitter_share: float = 0.2

    def delay_s(self, *, attempt: int, jitter: float) -> float:
        """Seconds before attempt `attempt` (1 = first retry); `jitter` in 0..1 spreads retries apart."""
        doublings = min(max(attempt - 1, 0), 32)
        return float(min(self.initial_s * 2**doublings, self.maximum_s)) * (1.0 + self.jitter_share * jitter)


class FaultBudget:
    """Remembers fault times within a window; says when the budget is spent."""

    __slots__ = ("_limit", "_times_s", "_window_s")

    def __init__(self, *, limit: int, window_s: float) -> None:
        """Allow fewer than `limit` faults in any `window_s`."""
        self._limit = limit
        self._window_s = window_s
        self._times_s: deque[float] = deque(maxlen=limit)

    def spend(self, now_s: float) -> bool:
        """Note a fault; True when the budget is now spent."""
        self._times_s.append(now_s)
        return len(self._times_s) == self._limit and now_s - self._times_s[0] <= self._window_s

    def recent(self, now_s: float) -> int:
        """Faults still inside the window."""
        return sum(now_s - then_s <= self._window_s for then_s in self._times_s)

    def reset(self) -> None:
        """Forget all faults (an operator gave the tier back)."""
        self._times_s.clear()
