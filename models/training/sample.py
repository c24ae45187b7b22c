"""The validation hours on which thresholds and drift references are set."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.training.metrics.utility import hour_terms
from models.training.published import PROBABILITY
from models.training.scoring import Graph
from models.training.stays import Stays

SEED = 20190606


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSample:
    """`gain` is what an alert earns in each of the hours `rows`."""

    stays: Stays
    rows: NDArray[np.int64]
    gain: NDArray[np.float64]

    @classmethod
    def draw(cls, stays: Stays, count: int) -> Self:
        """Draw `count` hours, or all where there are fewer; the same ones every time."""
        rng = np.random.default_rng(SEED)
        rows = np.sort(rng.choice(len(stays.label), min(count, len(stays.label)), replace=False))
        return cls(stays=stays, rows=rows, gain=hour_terms(stays.label, stays.first_row)[1][rows])

    def probability(self, graph: Graph) -> NDArray[np.float64]:
        """Return what a graph says of each hour."""
        return graph.over_rows(self.stays, self.rows, PROBABILITY)[:, 0].astype(np.float64)
