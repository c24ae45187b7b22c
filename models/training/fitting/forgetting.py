"""Hide parts of training windows at random, so that no model leans on one reading, one column or a long history.

A served window can lack any of them: sex unknown, a laboratory that does not report, a client that knows the last
hours.
"""

import numpy as np
from numpy.typing import NDArray

from models.training.columns import COLUMN_COUNT, WINDOW_H

VALUES_HIDDEN = 0.05
COLUMNS_HIDDEN = 0.05
HISTORIES_CUT = 0.15
LONGEST_CUT_HISTORY_H = 24


def forget(grid: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide values of `grid` [N, 48, 40] in place; return which hours are still there, [N, 48]."""
    count = len(grid)
    grid[rng.random(grid.shape, dtype=np.float32) < VALUES_HIDDEN] = np.nan
    columns = rng.random((count, 1, COLUMN_COUNT)) < COLUMNS_HIDDEN
    grid[np.broadcast_to(columns, grid.shape)] = np.nan
    kept = np.where(rng.random(count) < HISTORIES_CUT, rng.integers(1, LONGEST_CUT_HISTORY_H + 1, count), WINDOW_H)
    there: NDArray[np.bool_] = np.arange(WINDOW_H)[None, :] >= WINDOW_H - kept[:, None]
    grid[~there] = np.nan
    return there
