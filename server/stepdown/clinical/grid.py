"""Lays timelines out as the grid that every model reads: the 48 hours up to as-of, 40 columns, NaN = missing.

Values are not rounded, filled in or clipped; several in one hour become their median, as in the challenge's own files.
"""

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import compress

from stepdown.clinical.channels import GRID_COLUMN
from stepdown.clinical.demographics import Demographics
from stepdown.clinical.readings import Timeline
from stepdown.clinical.resolution import median
from stepdown.clinical.timings import Timings
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS, ObservationGrid

_EMPTY = array("f", [float("nan")]) * (GRID_HOURS * GRID_COLUMNS)
_CONSTANT_COLUMNS = tuple(GRID_COLUMN[name] for name in ("Age", "Gender", "Unit1", "Unit2", "HospAdmTime"))
_COUNTER_COLUMN = GRID_COLUMN["ICULOS"]
_LAST_ROW = (GRID_HOURS - 1) * GRID_COLUMNS


def grid_of(timelines: Iterable[Timeline], who: Demographics, timings: Timings) -> ObservationGrid:
    """The grid of one encounter. Rows before the first observation and before the unit stay are NaN throughout."""
    cells = _EMPTY[:]
    rows_known = 0
    for timeline in timelines:
        column = GRID_COLUMN.get(timeline.channel.name)
        if column is not None:
            rows_known = max(rows_known, _fill_column(cells, timeline, timings, column=column))
    if who.icu_hours_now >= 1:
        rows_known = min(max(rows_known, int(who.icu_hours_now)), GRID_HOURS)
    _fill_demographics(cells, who, rows_known)
    return ObservationGrid(cells=little_endian(cells, sys.byteorder))


def little_endian(cells: "array[float]", byteorder: str) -> bytes:
    """The cells as little-endian float32, whatever the machine's own order is."""
    if byteorder == "big":
        cells = cells[:]
        cells.byteswap()
    return cells.tobytes()


def _fill_column(cells: "array[float]", timeline: Timeline, timings: Timings, *, column: int) -> int:
    """Write one channel; returns how many rows reach back to its first value, 0 if it has none for the models."""
    times_s, values = timeline.times_s, timeline.values
    if timeline.rules_only:
        for_models = [time_s not in timeline.rules_only for time_s in times_s]
        times_s, values = list(compress(times_s, for_models)), list(compress(values, for_models))
        if not times_s:
            return 0
    timing = timings.of(times_s)
    hours = timing.hours
    oldest = hours[0]
    start = _LAST_ROW + column - oldest * GRID_COLUMNS
    if timing.unbroken:  # no hour without a value: one strided copy
        cells[start : start + len(hours) * GRID_COLUMNS : GRID_COLUMNS] = array("f", values)
        return oldest + 1
    if not timing.one_an_hour:
        hours, values = _medians(hours, values)
    for hour, value in zip(hours, values, strict=True):
        cells[start + (oldest - hour) * GRID_COLUMNS] = value
    return oldest + 1


def _medians(hours: Sequence[int], values: Sequence[float]) -> tuple[list[int], list[float]]:
    """One value for each hour, in the order of the hours."""
    by_hour: dict[int, list[float]] = {}
    for hour, value in zip(hours, values, strict=True):
        by_hour.setdefault(hour, []).append(value)
    return list(by_hour), [median(together) for together in by_hour.values()]


def _fill_demographics(cells: "array[float]", who: Demographics, rows: int) -> None:
    """Write what holds for the whole stay into its last `rows` rows, and the row counter from where it reaches 1."""
    first = (GRID_HOURS - rows) * GRID_COLUMNS
    for column, value in zip(
        _CONSTANT_COLUMNS,
        (who.age_years, who.gender, who.medical_unit, who.surgical_unit, who.hospital_admission_h),
        strict=True,
    ):
        cells[first + column :: GRID_COLUMNS] = array("f", (value,)) * rows
    counted = min(rows, max(int(who.icu_hours_now), 0)) if who.icu_hours_now >= 1 else 0
    hours_of_stay = array("f", [who.icu_hours_now - hours_ago for hours_ago in range(counted - 1, -1, -1)])
    cells[(GRID_HOURS - counted) * GRID_COLUMNS + _COUNTER_COLUMN :: GRID_COLUMNS] = hours_of_stay
