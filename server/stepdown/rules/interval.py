"""Intervals as a publication prints them (`<=8`, `9-11`, `>38.0`), and whether a row of them covers every number."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import inf, nextafter

# A place on the real line just before (side 0) or just after (side 1) a number.
_Place = tuple[Decimal, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A run of numbers, unbounded where an end is left out. `at_least`/`at_most` include the number, others do not."""

    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None

    @property
    def unbounded_low(self) -> bool:
        """Whether it reaches down without end."""
        return self.at_least is None and self.above is None

    @property
    def unbounded_high(self) -> bool:
        """Whether it reaches up without end."""
        return self.at_most is None and self.below is None

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        """The numbers that bound it."""
        return tuple(end for end in (self.at_least, self.above, self.at_most, self.below) if end is not None)

    def text(self, *, resolution: Decimal | None = None) -> str:
        """The interval as a chart prints it: `≤8`, `9-11`, `>38.0`; one charted value alone stands as itself."""
        if resolution is not None and self.at_least is not None and self.at_least == self.at_most:
            return str(self.at_least)
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least}-{self.at_most}"
        signs = (("≥", self.at_least), (">", self.above), ("≤", self.at_most), ("<", self.below))
        return " and ".join(f"{sign}{end}" for sign, end in signs if end is not None) or "any"


def _low_place(interval: Interval, resolution: Decimal | None) -> _Place | None:
    """Where the interval begins; on a grid, just before the first charted value inside."""
    if interval.at_least is not None:
        return interval.at_least, 0
    if interval.above is not None:
        return (interval.above, 1) if resolution is None else (interval.above + resolution, 0)
    return None


def _high_place(interval: Interval, resolution: Decimal | None) -> _Place | None:
    """Where the interval ends; on a grid, just before the first charted value beyond it."""
    if interval.at_most is not None:
        return (interval.at_most, 1) if resolution is None else (interval.at_most + resolution, 0)
    if interval.below is not None:
        return interval.below, 0
    return None


def _end_faults(intervals: tuple[Interval, ...]) -> list[str]:
    faults = []
    if not intervals[0].unbounded_low:
        faults.append(f"gap: nothing covers what lies below {intervals[0].text()}")
    if not intervals[-1].unbounded_high:
        faults.append(f"gap: nothing covers what lies above {intervals[-1].text()}")
    return faults


def cover_faults(intervals: tuple[Interval, ...], *, resolution: Decimal | None) -> tuple[str, ...]:
    """Say everything that keeps `intervals` from covering the real numbers once each, in rising order.

    Args:
        intervals: the bands of one table, lowest first.
        resolution: the step in which the quantity is charted (`9-11` then follows `<=8`), None where it is continuous.
    """
    if not intervals:
        return ("no bands",)
    faults = _end_faults(intervals)
    if resolution is not None:
        off_grid = sorted({number for interval in intervals for number in interval.numbers if number % resolution})
        faults += [f"{number} is not a multiple of the charting resolution {resolution}" for number in off_grid]
    for interval in intervals:
        low, high = _low_place(interval, resolution), _high_place(interval, resolution)
        if low is not None and high is not None and low >= high:
            faults.append(f"edges do not rise: {interval.text()} holds no value")
    for lower, upper in pairwise(intervals):
        end, start = _high_place(lower, resolution), _low_place(upper, resolution)
        if end is None or start is None or start < end:
            faults.append(f"overlap: {lower.text()} and {upper.text()}")
        elif start > end:
            faults.append(f"gap between {lower.text()} and {upper.text()}")
    return tuple(faults)


def cuts(intervals: tuple[Interval, ...], *, resolution: Decimal | None) -> tuple[float, ...]:
    """Rising cut points of a faultless row: `bisect_right(cuts, value)` is the index of the interval holding `value`.

    On a charting grid a cut lies half a step below the first charted value above it, so that a value with more digits,
    or one that carries binary rounding noise, falls where rounding half-up would put it.
    """
    if resolution is not None:
        half = resolution / 2
        return tuple(float(place[0] - half) for place in _junctions(intervals, resolution))
    return tuple(
        nextafter(float(number), inf) if side else float(number) for number, side in _junctions(intervals, None)
    )


def _junctions(intervals: tuple[Interval, ...], resolution: Decimal | None) -> tuple[_Place, ...]:
    places = (_low_place(interval, resolution) for interval in intervals[1:])
    return tuple(place for place in places if place is not None)
