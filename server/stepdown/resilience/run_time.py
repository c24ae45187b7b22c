"""How long so many rows will take: the shape measured at warm-up, stretched by how runs compare with it of late."""

from bisect import bisect_left

_MEMORY = 0.1
_MOST_AT_ONCE = 0.5


class RunTime:
    """Learns one number, the stretch. A device that slows down slows every size of batch alike, near enough.

    Without a measured shape time is taken as proportional to rows.
    """

    __slots__ = ("_seconds", "_sizes", "stretch")

    def __init__(self, measured: tuple[tuple[int, float], ...] = ()) -> None:
        """`measured` pairs (rows, seconds) of one run each; rows rising."""
        self._sizes = [float(rows) for rows, _ in measured] or [1.0]
        self._seconds = [max(seconds, 1e-6) for _, seconds in measured] or [1e-6]
        self.stretch = 1.0 if measured else 0.0

    def estimate_s(self, rows: int) -> float:
        """Seconds that one run of so many rows takes now."""
        return self.stretch * self._shape_s(rows)

    def measured_s(self, rows: int) -> float:
        """Seconds that such a run took at warm-up, whatever it takes now."""
        return self._shape_s(rows)

    def drain_s(self, rows: int, *, batch: int) -> float:
        """Seconds until so many waiting rows have been run, at most `batch` of them at a time."""
        runs, rest = divmod(rows, batch)
        whole_s = runs * self._shape_s(batch) if runs else 0.0
        return self.stretch * (whole_s + (self._shape_s(rest) if rest else 0.0))

    def observe(self, rows: int, seconds: float, *, weight: float = 1.0) -> None:
        """One run of so many rows took so long."""
        found = seconds / self._shape_s(max(rows, 1))
        share = 1.0 if self.stretch == 0.0 else min(weight * _MEMORY, _MOST_AT_ONCE)
        self.stretch += share * (found - self.stretch)

    def _shape_s(self, rows: int) -> float:
        """On the line through the two sizes measured next to it; beyond them in proportion to the nearest."""
        place = bisect_left(self._sizes, rows)
        if place == 0:
            # Fewer rows than were ever measured cannot be assumed to take less.
            return self._seconds[0]
        if place == len(self._sizes):
            return self._seconds[-1] * rows / self._sizes[-1]
        low, high = self._sizes[place - 1], self._sizes[place]
        part = (rows - low) / (high - low)
        return self._seconds[place - 1] + part * (self._seconds[place] - self._seconds[place - 1])
