"""Cut the raw model input out of stays: the last 48 hours up to a given hour, left-padded with NaN."""

import numpy as np
from numpy.typing import NDArray

from models.training.columns import WINDOW_H
from models.training.stays import Stays


def windows(stays: Stays, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return one window per row number in `rows`, float32 [len(rows), 48, 40]; its last row is the hour asked for."""
    begins = np.searchsorted(stays.first_row, rows, side="right") - 1
    wanted = rows[:, None] + np.arange(1 - WINDOW_H, 1)[None, :]
    inside = wanted >= stays.first_row[begins][:, None]
    grid = stays.predictors[np.maximum(wanted, 0)]
    grid[~inside] = np.nan
    return grid
