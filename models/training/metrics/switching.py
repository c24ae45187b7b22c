"""What a switch between two tiers does to the alerts of a ward, on the same hours: jump, agreement, flips, losses.

The band is the only quantity that may cross tiers, so everything here is counted from one table of band against band.
"""

import numpy as np
from numpy.typing import NDArray

BAND_COUNT = 4
MEDIUM, HIGH = 2, 3
Table = NDArray[np.float64]


def band_tables(before: NDArray[np.int64], after: NDArray[np.int64], stay: NDArray[np.int64], stays: int) -> Table:
    """Count hours by band before (rows) and after (columns) for each stay, [S, 4, 4]."""
    cell = (stay * BAND_COUNT + before) * BAND_COUNT + after
    return np.bincount(cell, minlength=stays * BAND_COUNT**2).reshape(stays, BAND_COUNT, BAND_COUNT).astype(np.float64)


def switch_figures(table: Table) -> dict[str, float]:
    """Return the figures of one table [4, 4]; shares are of hours. An alert is a band of MEDIUM or higher."""
    hours = table.sum()
    alerts_before, alerts_after = table[MEDIUM:].sum(), table[:, MEDIUM:].sum()
    high_before, high_after = table[HIGH].sum(), table[:, HIGH].sum()
    return {
        "alert_rate_before": float(alerts_before / hours),
        "alert_rate_after": float(alerts_after / hours),
        "alert_rate_jump": float(alerts_after / alerts_before - 1) if alerts_before else float("nan"),
        "high_rate_jump": float(high_after / high_before - 1) if high_before else float("nan"),
        "kappa": weighted_kappa(table),
        "alert_flips": float((table[:MEDIUM, MEDIUM:].sum() + table[MEDIUM:, :MEDIUM].sum()) / hours),
        "high_flips": float(table[HIGH, :HIGH].sum() / high_before) if high_before else float("nan"),
        "high_to_low": float(table[HIGH, 0] / high_before) if high_before else float("nan"),
    }


def weighted_kappa(table: Table) -> float:
    """Cohen's kappa with quadratic weights: 1 is full agreement of bands, 0 that of chance."""
    rank = np.arange(len(table))
    penalty = (rank[:, None] - rank[None, :]) ** 2
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    by_chance = float((penalty * expected).sum())
    return 1 - float((penalty * table).sum()) / by_chance if by_chance else float("nan")


def bands(score: NDArray[np.float64], cuts: tuple[float, float, float]) -> NDArray[np.int64]:
    """Return the band of each score, 0 LOW to 3 HIGH; `cuts` are the lowest scores of the upper three."""
    return np.searchsorted(np.array(cuts), score, side="right")
