"""The drift reference: inputs, scores and bands on the validation hours, so that a server can notice change."""

import json

import numpy as np
from numpy.typing import NDArray

from models.training.columns import NAMES, limits
from models.training.published import BANDS
from models.training.stays import Stays
from models.training.windows import windows

BINS = 10
SIGNIFICANT_DIGITS = 6
BATCH = 2_048


def reference(
    stays: Stays, rows: NDArray[np.int64], probability: NDArray[np.float64], thresholds: dict[str, float]
) -> bytes:
    """Return the reference as JSON. A value v falls in the bin i with edges[i-1] <= v < edges[i]."""
    values, ages_h = newest(stays, rows)
    channels = {
        name: _histogram(values[:, column])
        | {"missing": int(np.isnan(values[:, column]).sum()), "age_h": _histogram(ages_h[:, column])}
        for column, name in enumerate(NAMES)
    }
    score = _histogram(probability)
    cuts = [thresholds["low_medium"], thresholds["medium"], thresholds["high"]]
    bands = np.bincount(np.searchsorted(cuts, probability, side="right"), minlength=len(BANDS))
    document = {
        "schema": "stepdown/reference/v2",
        "rows": len(rows),
        "encounters": len(np.unique(stays.stay_of_row[rows])),
        "channels": channels,
        "score": score,
        "bands": dict(zip(BANDS, bands.tolist(), strict=True)),
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def newest(stays: Stays, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the newest possible value of each column in each window and its age in hours.

    Both [len(rows), 40], NaN where there is none; the age of a value of the hour asked for is 0.
    """
    lowest, highest = limits()
    values, ages_h = [], []
    for at in range(0, len(rows), BATCH):
        grid = windows(stays, rows[at : at + BATCH])
        valid = (grid >= lowest) & (grid <= highest)
        age = np.argmax(valid[:, ::-1], axis=1)
        value = np.take_along_axis(grid, grid.shape[1] - 1 - age[:, None], axis=1)[:, 0]
        missing = ~valid.any(axis=1)
        values.append(np.where(missing, np.float32(np.nan), value))
        ages_h.append(np.where(missing, np.float32(np.nan), age.astype(np.float32)))
    return np.concatenate(values), np.concatenate(ages_h)


def _histogram(values: NDArray[np.floating]) -> dict[str, object]:
    present = values[~np.isnan(values)].astype(np.float64)
    quantiles = np.quantile(present, np.arange(1, BINS) / BINS) if len(present) else np.zeros(0)
    edges = np.unique([float(f"{edge:.{SIGNIFICANT_DIGITS}g}") for edge in quantiles])
    counts = np.bincount(np.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
