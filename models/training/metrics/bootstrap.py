"""Bootstrap over stays: a replicate draws whole stays with replacement, which is a weight per stay."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED = 20190707
TAIL = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % percentile interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of nought: only then may a difference be claimed."""
        return self.low > 0 or self.high < 0


def stay_weights(stays: int, replicates: int) -> Iterator[NDArray[np.float64]]:
    """Yield for each replicate how often each stay was drawn, [S].

    The draws are the same every time, so that models are compared in pairs.
    """
    rng = np.random.default_rng(SEED)
    for _ in range(replicates):
        yield np.bincount(rng.integers(0, stays, stays), minlength=stays).astype(np.float64)


def interval(value: float, replicates: NDArray[np.float64]) -> Interval:
    """Return `value` with the percentile interval of its `replicates`, undefined ones (no case drawn) left out."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return Interval(value=value, low=float("nan"), high=float("nan"))
    low, high = np.quantile(defined, (TAIL, 1 - TAIL))
    return Interval(value=value, low=float(low), high=float(high))
