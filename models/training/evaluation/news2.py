"""NEWS2 (Royal College of Physicians 2017) over whole tables of hours: the rules row of the comparison.

A vectorised reading of the published table for evaluation only; what the server answers with is the signed rule set. A
parameter nobody measured within six hours is missing and contributes from nought to its maximum; it is never scored as
normal.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.columns import INDEX
from models.training.stays import UNRECORDED, Stays

FRESH_H = 6
ROOM_AIR = 0.21
HIGH_TOTAL, MEDIUM_TOTAL, SINGLE_RED = 7, 5, 3

# parameter: lower edge of each step at charted resolution, and the points of the step it opens; below the first edge:
# `below`
STEPS: dict[str, tuple[int, tuple[tuple[float, int], ...]]] = {
    "Resp": (3, ((9, 1), (12, 0), (21, 2), (25, 3))),
    "O2Sat": (3, ((92, 2), (94, 1), (96, 0))),
    "SBP": (3, ((91, 2), (101, 1), (111, 0), (220, 3))),
    "HR": (3, ((41, 1), (51, 0), (91, 1), (111, 2), (131, 3))),
    "Temp": (3, ((35.1, 1), (36.1, 0), (38.1, 1), (39.1, 2))),
}
OXYGEN_POINTS = 2
NOT_ALERT_POINTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class News2:
    """Bounds of the aggregate and of the band for each hour, [R]; bands are 0 low, 1 low-medium, 2 medium, 3 high."""

    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    lowest_band: NDArray[np.int64]
    highest_band: NDArray[np.int64]

    @property
    def determined(self) -> NDArray[np.bool_]:
        """Whether what is missing could not change the band."""
        return self.lowest_band == self.highest_band


def news2(stays: Stays, *, bedside: bool) -> News2:
    """Score every hour.

    Without `bedside`, consciousness is missing and oxygen is inferred from FiO2: the challenge has no more.
    """
    low, high = [], []
    for name, (below, steps) in STEPS.items():
        value = carried(stays.predictors[:, INDEX[name]].astype(np.float64), stays)
        points = _points(np.round(value, 1), below, steps)
        low.append(np.where(np.isnan(value), 0, points))
        high.append(np.where(np.isnan(value), 3, points))
    for points, known, most in (_oxygen(stays, bedside=bedside), _consciousness(stays, bedside=bedside)):
        low.append(np.where(known, points, 0))
        high.append(np.where(known, points, most))
    lowest, highest = np.stack(low), np.stack(high)
    return News2(
        lowest=lowest.sum(axis=0), highest=highest.sum(axis=0), lowest_band=_band(lowest), highest_band=_band(highest)
    )


def carried(value: NDArray[np.float64], stays: Stays) -> NDArray[np.float64]:
    """Carry each value forward within its stay for as long as it is fresh."""
    row = np.arange(len(value))
    newest = np.maximum.accumulate(np.where(np.isnan(value), -1, row))
    begin = np.repeat(stays.first_row[:-1], np.diff(stays.first_row))
    usable = (newest >= begin) & (row - newest < FRESH_H)
    return np.where(usable, value[np.maximum(newest, 0)], np.nan)


def _points(value: NDArray[np.float64], below: int, steps: tuple[tuple[float, int], ...]) -> NDArray[np.int64]:
    table = np.array([below, *(points for _, points in steps)])
    return table[np.searchsorted([edge for edge, _ in steps], np.nan_to_num(value), side="right")]


def _oxygen(stays: Stays, *, bedside: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    if bedside:
        flag = stays.on_oxygen.astype(np.int64)
        return OXYGEN_POINTS * (flag == 1), flag != UNRECORDED, OXYGEN_POINTS
    inspired = carried(stays.predictors[:, INDEX["FiO2"]].astype(np.float64), stays)
    return OXYGEN_POINTS * (inspired > ROOM_AIR + 0.005), ~np.isnan(inspired), OXYGEN_POINTS


def _consciousness(stays: Stays, *, bedside: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    known = (stays.consciousness != UNRECORDED) & bedside
    return NOT_ALERT_POINTS * (stays.consciousness > 0), known, NOT_ALERT_POINTS


def _band(points: NDArray[np.int64]) -> NDArray[np.int64]:
    total = points.sum(axis=0)
    red = (points == SINGLE_RED).any(axis=0)
    return np.select([total >= HIGH_TOTAL, total >= MEDIUM_TOTAL, red], [3, 2, 1], 0)
