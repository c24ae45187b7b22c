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
from stepdown.clinical.window import HOUR_S, Window
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS, ObservationGrid

_EMPTY = array("f", [float("nan")]) * (GRID_HOURS * GRID_COLUMNS)
_LAST_ROW = (GRID_HOURS - 1) * GRID_COLUMNS


def grid_of(timelines: Iterable[Timeline], who: Demographics, window: Window) -> ObservationGrid:
    """The grid of one encounter. Rows before the first observation and before the unit stay are NaN throughout."""
    cells = _EMPTY[:]
    rows_known = 0
    for timeline in timelines:
        column = GRID_COLUMN.get(timeline.channel.name)
        if column is not None:
            rows_known = max(rows_known, _fill_column(cells, timeline, window, column=column))
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


def _fill_column(cells: "array[float]", timeline: Timeline, window: Window, *, column: int) -> int:
    """Write one channel; returns how many rows reach back to its first value, 0 if it has none for the models."""
    times_s, values = timeline.times_s, timeline.values
    if timeline.rules_only:
        for_models = [time_s not in timeline.rules_only for time_s in times_s]
        times_s, values = list(compress(times_s, for_models)), list(compress(values, for_models))
        if not times_s:
            return 0
    as_of_s = window.as_of_s
    hours = [(as_of_s - time_s) // HOUR_S for time_s in times_s]
    if hours[-1] < 0:
        hours = [max(hour, 0.0) for hour in hours]
    if len(set(hours)) < len(hours):
        hours, values = _medians(hours, values)
    oldest = int(hours[0])
    start = _LAST_ROW + column - oldest * GRID_COLUMNS
    if len(hours) == oldest - hours[-1] + 1:  # no hour without a value: one strided copy
        cells[start : start + len(hours) * GRID_COLUMNS : GRID_COLUMNS] = array("f", values)
        return oldest + 1
    for hour, value in zip(hours, values, strict=True):
        cells[start + (oldest - int(hour)) * GRID_COLUMNS] = value
    return oldest + 1


def _medians(hours: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """One value for each hour, in the order of the hours."""
    by_hour: dict[float, list[float]] = {}
    for hour, value in zip(hours, values, strict=True):
        by_hour.setdefault(hour, []).append(value)
    return list(by_hour), [median(together) for together in by_hour.values()]


def _fill_demographics(cells: "array[float]", who: Demographics, rows: int) -> None:
    """Write what holds for the whole stay into its last `rows` rows, and the row counter from where it reaches 1."""
    constant = {
        "Age": who.age_years,
        "Gender": who.gender,
        "Unit1": who.medical_unit,
        "Unit2": who.surgical_unit,
        "HospAdmTime": who.hospital_admission_h,
    }
    first = (GRID_HOURS - rows) * GRID_COLUMNS
    for name, value in constant.items():
        cells[first + GRID_COLUMN[name] :: GRID_COLUMNS] = array("f", [value]) * rows
    counter = GRID_COLUMN["ICULOS"]
    for hours_ago in range(rows):
        hour_of_stay = who.icu_hours_now - hours_ago
        if hour_of_stay >= 1:
            cells[_LAST_ROW + counter - hours_ago * GRID_COLUMNS] = hour_of_stay
