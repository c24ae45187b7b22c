"""How long a graph takes on one core: beside the figures, so that nobody has to guess."""

import time

import numpy as np
from numpy.typing import NDArray

from models.training.scoring import Graph

BATCHES = (1, 8, 32)
WARM_UP, ROUNDS = 5, 60


def latency_ms(graph: Graph, grid: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Return median and 10th percentile of a call in milliseconds, by batch size.

    A busy machine lifts the median and hardly the 10th percentile.
    """
    found = {}
    for batch in BATCHES:
        rows = grid[:batch]
        spans = []
        for _ in range(WARM_UP + ROUNDS):
            began = time.perf_counter()
            graph.run(rows)
            spans.append(1e3 * (time.perf_counter() - began))
        low, median = np.quantile(spans[WARM_UP:], (0.1, 0.5))
        found[str(batch)] = {"p10": round(float(low), 3), "median": round(float(median), 3)}
    return found
