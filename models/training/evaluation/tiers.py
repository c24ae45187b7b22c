"""Between tiers: what happens to bands and alerts when the serving tier changes, with intervals over stays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.metrics.bootstrap import Interval, interval, stay_weights
from models.training.metrics.switching import HIGH, band_tables, switch_figures
from models.training.stays import Stays


@dataclass(frozen=True, slots=True, kw_only=True)
class TierBands:
    """The band of every test hour in one tier, 0 LOW to 3 HIGH."""

    name: str
    band: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One switch from a tier to another. `table` counts hours by band before and after."""

    before: str
    after: str
    figures: dict[str, Interval]
    table: NDArray[np.float64]


def compare(before: TierBands, after: TierBands, stays: Stays, *, replicates: int) -> Switch:
    """Return the figures of switching from `before` to `after` on the same hours."""
    tables = band_tables(before.band, after.band, stays.stay_of_row, len(stays))
    flat = tables.reshape(len(stays), -1)
    ever = _stays_losing_high(before, after, stays)
    point = _figures(tables.sum(axis=0), ever, np.ones(len(stays)))
    drawn = [
        _figures((weights @ flat).reshape(tables.shape[1:]), ever, weights)
        for weights in stay_weights(len(stays), replicates)
    ]
    return Switch(
        before=before.name,
        after=after.name,
        figures={
            name: interval(value, np.array([figures[name] for figures in drawn])) for name, value in point.items()
        },
        table=tables.sum(axis=0),
    )


def _figures(
    table: NDArray[np.float64], ever: tuple[NDArray[np.bool_], NDArray[np.bool_]], weights: NDArray[np.float64]
) -> dict[str, float]:
    had_high, lost = ever
    among = float(np.sum(weights * had_high))
    return switch_figures(table) | {
        "stays_losing_high": float(np.sum(weights * lost)) / among if among else float("nan")
    }


def _stays_losing_high(
    before: TierBands, after: TierBands, stays: Stays
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    had, has = (
        np.maximum.reduceat((tier.band == HIGH).astype(np.int8), stays.first_row[:-1]) > 0 for tier in (before, after)
    )
    return had, had & ~has
