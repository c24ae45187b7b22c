"""How many damaged windows the input checks in the graph notice, beside how many sound ones they flag for nothing.

The corruptions were chosen with the checks in mind: this shows that the checks work as built, not that nothing else can
go wrong.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.training.columns import INDEX, LABORATORY, positions
from models.training.published import CHECK_LABELS, FLAG_AT, INPUT_CHECKS, REFUSE_AT
from models.training.scoring import BATCH, Graph

Grid = NDArray[np.float32]
STUCK_H = 10


def _scaled(name: str, factor: float, offset: float = 0.0) -> Callable[[Grid], Grid]:
    def corrupt(grid: Grid) -> Grid:
        grid[:, :, INDEX[name]] = grid[:, :, INDEX[name]] * factor + offset
        return grid

    return corrupt


def _swapped_pressures(grid: Grid) -> Grid:
    pair = [INDEX["SBP"], INDEX["DBP"]]
    grid[:, :, pair] = grid[:, :, pair[::-1]]
    return grid


def _stuck_heart_rate(grid: Grid) -> Grid:
    grid[:, -STUCK_H:, INDEX["HR"]] = 88
    return grid


def _no_laboratory(grid: Grid) -> Grid:
    grid[:, :, positions(LABORATORY)] = np.nan
    return grid


CORRUPTIONS: dict[str, Callable[[Grid], Grid]] = {
    "none (false alarms)": lambda grid: grid,
    "temperature in Fahrenheit": _scaled("Temp", 1.8, 32.0),
    "glucose in mmol/L": _scaled("Glucose", 1 / 18.016),
    "haemoglobin in g/L": _scaled("Hgb", 10.0),
    "creatinine in umol/L": _scaled("Creatinine", 88.4),
    "lactate in mg/dL": _scaled("Lactate", 9.008),
    "systolic and diastolic swapped": _swapped_pressures,
    "heart rate stuck for 10 h": _stuck_heart_rate,
    "no laboratory values at all": _no_laboratory,
}


def detection(graph: Graph, grid: Grid) -> dict[str, dict[str, float]]:
    """Return for each corruption the share of windows flagged by each check, by any of them, and refused."""
    return {name: _shares(graph, corrupt(grid.copy())) for name, corrupt in CORRUPTIONS.items()}


def _shares(graph: Graph, grid: Grid) -> dict[str, float]:
    parts = [graph.run(grid[at : at + BATCH])[INPUT_CHECKS] for at in range(0, len(grid), BATCH)]
    checks = np.concatenate(parts)
    flagged = checks >= FLAG_AT
    each = dict(zip(CHECK_LABELS, flagged.mean(axis=0).tolist(), strict=True))
    return each | {"any": float(flagged.any(axis=1).mean()), "refused": float((checks >= REFUSE_AT).any(axis=1).mean())}
