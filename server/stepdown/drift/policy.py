"""When a difference is worth telling: enough assessments, too surprising to be chance, and large enough to matter."""

from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPolicy:
    """All of it must hold for an alarm; `assessments_per_30_days` states the budget of one false alarm in that time.

    `window_rows`, `window_s`: what is compared with the reference. `block_rows`: how often. `least_size`: effective
    assessments (see `evidence`) below which nothing is said; a chi-square needs `least_size_for_shape` to be trusted.
    `least_psi`, `least_shift` (in reference standard deviations), `least_rate_change` (absolute): smaller differences
    are real, perhaps, and of no account. Ages of values may differ by `age_tolerance` times as much: they follow how
    long the patients have been there, and only a feed that stalls moves them far.
    """

    window_rows: int = 500
    window_s: float = 7 * 86_400.0
    block_rows: int = 250
    least_size: float = 12.0
    least_size_for_shape: float = 60.0
    least_psi: float = 0.1
    least_shift: float = 0.25
    age_tolerance: float = 2.0
    least_rate_change: float = 0.05
    assessments_per_30_days: float = 100_000.0

    def alarm_nats(self, tests: int) -> float:
        """Evidence that so many tests, all made once a block, pass by chance once in 30 days at most."""
        return log(max(tests, 1) * max(self.assessments_per_30_days / self.block_rows, 1.0))
