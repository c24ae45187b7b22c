"""What can be said of readings by their times alone, worked out once for all channels that were read at the same times.

Monitors chart many channels at the same instants, and such series of a request share one tuple of times.
"""

from collections.abc import Sequence
from itertools import islice
from operator import lt
from typing import NamedTuple

from stepdown.clinical.window import HOUR_S, Window


class Timing(NamedTuple):
    """Some times and how they lie.

    `in_window`: all of them count, and none is after the assessed instant. `rises`: each is later than the one before.
    `hours`: the rows of the grid that they belong to, counted back from 0, and empty unless they rise. `one_an_hour`:
    no two share a row. `unbroken`: moreover no row between them is left out.
    """

    times_s: Sequence[float]
    in_window: bool
    rises: bool
    hours: Sequence[int]
    one_an_hour: bool
    unbroken: bool


class Timings:
    """The timing of every sequence of times met in one request, told apart by identity."""

    __slots__ = ("_known", "window")

    def __init__(self, window: Window) -> None:
        """Nothing is known yet."""
        self.window = window
        self._known: dict[int, Timing] = {}

    def of(self, times_s: Sequence[float]) -> Timing:
        """How these times lie; there is at least one, and the sequence must not change any more."""
        timing = self._known.get(id(times_s))
        if timing is None:  # what is kept holds on to its times, so that no other sequence can come to bear their id
            timing = self._known[id(times_s)] = _timing(times_s, self.window)
        return timing


def _timing(times_s: Sequence[float], window: Window) -> Timing:
    rises = all(map(lt, times_s, islice(times_s, 1, None)))
    earliest_s, latest_s = (times_s[0], times_s[-1]) if rises else (min(times_s), max(times_s))
    hours: list[int] = []
    if rises:
        as_of_s = window.as_of_s
        hours = [int((as_of_s - time_s) // HOUR_S) for time_s in times_s]
        if hours[-1] < 0:
            hours = [max(hour, 0) for hour in hours]
    one_an_hour = len(set(hours)) == len(times_s)
    return Timing(
        times_s=times_s,
        in_window=window.holds(earliest_s, latest_s),
        rises=rises,
        hours=hours,
        one_an_hour=one_an_hour,
        unbroken=one_an_hour and len(hours) == hours[0] - hours[-1] + 1,
    )
