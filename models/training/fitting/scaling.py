"""Centre and spread of each column over the training hours, and what a usual window is to the input checks."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.columns import COLUMN_COUNT, COLUMNS, DETECTION_FLOOR, limits, skewed
from models.training.networks.input_checks import HOURS_KNOWN, CheckReference, Contradictions, InputChecks
from models.training.networks.preparation import Preparation, Prepared
from models.training.stays import Stays
from models.training.windows import windows

FEWEST_VALUES = 50
VALUE_TAIL = 0.9999
WINDOW_TAIL = 0.99
HEADROOM = 1.05
SMALLEST_TAIL = 3.0
BATCH = 1024
SMALLEST_COUPLING_SCALE = 1.0
SMALLEST_COUNT_SPREAD = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """`centre` and `spread` [40]; on the log scale where a column is skewed."""

    centre: NDArray[np.float32]
    spread: NDArray[np.float32]


def fit_scaling(stays: Stays) -> Scaling:
    """Measure every column; one with too few values keeps its published median and unit spread."""
    lowest, highest = limits()
    centre, spread = np.zeros(COLUMN_COUNT), np.ones(COLUMN_COUNT)
    for position, column in enumerate(COLUMNS):
        value = stays.predictors[:, position]
        value = value[(value >= lowest[position]) & (value <= highest[position])].astype(np.float64)
        if skewed()[position]:
            value = np.log(np.maximum(value, DETECTION_FLOOR))
        enough = len(value) >= FEWEST_VALUES and value.std() > 0
        centre[position] = value.mean() if enough else np.log(column.median) if column.skewed else column.median
        spread[position] = value.std() if enough else 1.0
    return Scaling(centre=centre.astype(np.float32), spread=spread.astype(np.float32))


@torch.no_grad()
def fit_checks(stays: Stays, preparation: Preparation, *, sample: int, rng: np.random.Generator) -> InputChecks:
    """Learn the limits of the input checks from `sample` training windows."""
    rows = rng.choice(len(stays.label), size=min(sample, len(stays.label)), replace=False)
    batches = [
        preparation(torch.from_numpy(windows(stays, rows[at : at + BATCH]))) for at in range(0, len(rows), BATCH)
    ]
    unscaled = CheckReference(
        tail=_value_tails(batches),
        coupling_scale=_coupling_tails(batches),
        log_count=_count_table(batches),
        limit=np.ones(3, dtype=np.float32),
    )
    checks = InputChecks(unscaled)
    raw = torch.cat([torch.cat([checks.extreme(b), checks.coupling(b), checks.rate(b)], dim=1) for b in batches])
    # Values are charted in steps, so many windows tie at the percentile itself: the limit lies a little above it.
    limit = np.maximum(HEADROOM * np.quantile(raw.numpy(), WINDOW_TAIL, axis=0), 1e-3).astype(np.float32)
    return InputChecks(unscaled._replace(limit=limit))


def _value_tails(batches: list[Prepared]) -> NDArray[np.float32]:
    tails = np.full(COLUMN_COUNT, SMALLEST_TAIL)
    for position in range(COLUMN_COUNT):
        seen = torch.cat([b.deviation[:, :, position][b.observed[:, :, position] > 0] for b in batches])
        if len(seen):
            tails[position] = max(SMALLEST_TAIL, float(np.quantile(seen.numpy(), VALUE_TAIL)))
    return tails.astype(np.float32)


def _coupling_tails(batches: list[Prepared]) -> NDArray[np.float32]:
    contradictions = Contradictions()
    every = torch.cat([contradictions(b).flatten(0, 1) for b in batches]).numpy()
    tails = [np.quantile(pair[pair > 0], 0.999) if (pair > 0).any() else 0.0 for pair in every.T]
    return np.maximum(tails, SMALLEST_COUPLING_SCALE).astype(np.float32)


def _count_table(batches: list[Prepared]) -> NDArray[np.float32]:
    blank = InputChecks(
        CheckReference(
            tail=np.ones(COLUMN_COUNT, dtype=np.float32),
            coupling_scale=np.ones(4, dtype=np.float32),
            log_count=np.ones((HOURS_KNOWN, 2, 2), dtype=np.float32),
            limit=np.ones(3, dtype=np.float32),
        )
    )
    counts = torch.cat([blank.log_counts(b) for b in batches]).numpy()
    hours = torch.cat([_hours(b) for b in batches]).numpy()
    table = np.zeros((HOURS_KNOWN, 2, 2), dtype=np.float32)
    for hour in range(HOURS_KNOWN):
        # Neighbouring lengths share their statistics, so that a length seen seldom is not judged by a handful of
        # windows.
        near = counts[np.abs(hours - max(hour, 1)) <= max(1, hour // 8)]
        near = near if len(near) >= FEWEST_VALUES else counts
        table[hour, 0] = near.mean(axis=0)
        table[hour, 1] = np.maximum(near.std(axis=0), SMALLEST_COUNT_SPREAD)
    return table


def _hours(prepared: Prepared) -> Tensor:
    return prepared.begun.sum(dim=1)
