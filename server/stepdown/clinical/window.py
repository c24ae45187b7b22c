"""The stretch of time that counts for one assessment, relative to the request's own instant and never to now."""

from dataclasses import dataclass

from stepdown.domain.intake import GRID_HOURS

HOUR_S = 3600.0
GRID_SPAN_S = GRID_HOURS * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The 48 hours up to `as_of_s` (Unix seconds UTC), and `skew_s` beyond it for clocks that differ."""

    as_of_s: float
    skew_s: float

    def age_s(self, time_s: float) -> float:
        """How long before the assessed instant; negative for a clock that runs ahead."""
        return self.as_of_s - time_s

    def is_before(self, time_s: float) -> bool:
        """Too old for the grid."""
        return self.as_of_s - time_s >= GRID_SPAN_S

    def is_after(self, time_s: float) -> bool:
        """Later than clocks may differ."""
        return time_s - self.as_of_s > self.skew_s

    def holds(self, earliest_s: float, latest_s: float) -> bool:
        """Whether a whole run of times lies in the grid and none after the assessed instant."""
        return latest_s <= self.as_of_s and self.as_of_s - earliest_s < GRID_SPAN_S

    def hours_ago(self, time_s: float) -> int:
        """The row of the grid, counted back from 0, the hour that ends at the assessed instant."""
        return max(int((self.as_of_s - time_s) // HOUR_S), 0)
