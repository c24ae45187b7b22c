"""Whether alerts come more or less often than they should, judged at every answer: two cumulative sums (Page, 1954).

A window forgets; the sum does not, so that a lasting shift of half the rate shows as early as the numbers allow.
"""

from dataclasses import dataclass
from math import exp, log


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRatePolicy:
    """Look for a rate `factor` times the expected one, up or down, one false alarm in `answers_between_alarms`."""

    factor: float = 1.5
    answers_between_alarms: float = 100_000.0


class AlertRate:
    """Counts answers at or above one band. `expected` is the reference's rate, strictly between 0 and 1."""

    __slots__ = ("_down", "_policy", "_up", "alerts", "answers", "expected")

    def __init__(self, expected: float, policy: AlertRatePolicy) -> None:
        """Start at zero on both sides. Raises ValueError for a rate that leaves nothing to tell apart."""
        if not 0.0 < expected < 1.0:
            message = "the expected rate must lie strictly between 0 and 1"
            raise ValueError(message)
        self.expected = expected
        self._policy = policy
        self._up = _Sum(expected, min(expected * policy.factor, (1 + expected) / 2), policy)
        self._down = _Sum(expected, expected / policy.factor, policy)
        self.answers = 0
        self.alerts = 0

    def count(self, *, alerts: int, answers: int, worth: float = 1.0) -> None:
        """Add a block of answers, of which so many alerted. `worth`: effective share of them (0..1), see `evidence`."""
        self.answers += answers
        self.alerts += alerts
        for side in (self._up, self._down):
            side.add(alerts=alerts, answers=answers, worth=worth)

    @property
    def moved(self) -> int:
        """1: alerts come too often; -1: too rarely; 0: as expected, as far as can be told."""
        return int(self._up.over) - int(self._down.over)

    @property
    def share_of_limit(self) -> float:
        """How near the nearer of the two limits is: 1.0 raises the alarm."""
        return max(self._up.share, self._down.share)

    def reset(self) -> None:
        """Somebody has taken note: start at zero again."""
        self._up.value = self._down.value = 0.0


class _Sum:
    """One side: the log-likelihood ratio of `other` against `expected`, never below zero."""

    __slots__ = ("_alert", "_calm", "_limit", "value")

    def __init__(self, expected: float, other: float, policy: AlertRatePolicy) -> None:
        self._alert = log(other / expected)
        self._calm = log((1 - other) / (1 - expected))
        self._limit = _limit(expected, other, policy.answers_between_alarms)
        self.value = 0.0

    def add(self, *, alerts: int, answers: int, worth: float) -> None:
        self.value = max(0.0, self.value + worth * (alerts * self._alert + (answers - alerts) * self._calm))

    @property
    def share(self) -> float:
        return self.value / self._limit

    @property
    def over(self) -> bool:
        return self.value >= self._limit


def _limit(expected: float, other: float, answers_between_alarms: float) -> float:
    """Solve (e^h - h - 1) / I = the wanted run length for h (Wald's approximation; I: mean fall of the sum)."""
    fall = -(expected * log(other / expected) + (1 - expected) * log((1 - other) / (1 - expected)))
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (exp(middle) - middle - 1) / fall < answers_between_alarms else (low, middle)
    return high
