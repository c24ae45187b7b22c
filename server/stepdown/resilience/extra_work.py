"""Bounds what is done twice to be safe: a share of the work that is asked for, and a little saved up for bursts."""


class ExtraWork:
    """A token bucket filled by work rather than by time, so that it holds at every load. Reads no clock."""

    __slots__ = ("_burst_rows", "_rows", "_share")

    def __init__(self, *, share: float, burst_rows: float) -> None:
        """Allow `share` rows of extra work for each row of work, and `burst_rows` at once."""
        self._share = share
        self._burst_rows = burst_rows
        self._rows = burst_rows

    def earn(self, rows: int) -> None:
        """So many rows were asked for."""
        self._rows = min(self._rows + self._share * rows, self._burst_rows)

    def affords(self, rows: int) -> bool:
        """Whether so many rows may be done twice now."""
        return rows <= self._rows

    def spend(self, rows: int) -> None:
        """So many rows are done twice."""
        self._rows -= rows
