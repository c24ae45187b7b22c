"""Small drift references, and blocks of assessments drawn from them."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepdown.drift.reference import DriftReference, parse_reference

DECILES = [float(edge) for edge in range(10, 100, 10)]


def document(**changes: object) -> dict[str, Any]:
    """Three channels: HR uniform on 0..100, never missing; Lactate likewise, missing in half; Sex, 0 or 1."""
    age = {"edges": [1.0, 6.0], "counts": [400, 300, 300]}
    whole: dict[str, Any] = {
        "schema": "stepdown/reference/v2",
        "rows": 1000,
        "encounters": 500,
        "channels": {
            "HR": {"edges": DECILES, "counts": [100] * 10, "missing": 0, "age_h": age},
            "Lactate": {
                "edges": DECILES,
                "counts": [50] * 10,
                "missing": 500,
                "age_h": {"edges": [12.0], "counts": [250, 250]},
            },
            "Sex": {
                "edges": [0.0, 1.0],
                "counts": [0, 600, 400],
                "missing": 0,
                "age_h": {"edges": [], "counts": [1000]},
            },
        },
        "score": {"edges": [0.01, 0.02, 0.05, 0.1], "counts": [400, 300, 150, 100, 50]},
        "bands": {"LOW": 700, "LOW_MEDIUM": 150, "MEDIUM": 100, "HIGH": 50},
    }
    return whole | changes


def reference(**changes: object) -> DriftReference:
    """The same, parsed."""
    return parse_reference(json.dumps(document(**changes)).encode())


def block(rows: int, *, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and ages [rows, 3] as the reference has them."""
    chance = np.random.default_rng(seed)
    values = np.stack(
        [chance.uniform(0, 100, rows), chance.uniform(0, 100, rows), (chance.uniform(size=rows) < 0.4) * 1.0], axis=1
    )
    values[chance.uniform(size=rows) < 0.5, 1] = np.nan
    age = chance.choice([0.0, 3.0, 9.0], size=rows, p=[0.4, 0.3, 0.3])
    ages_h = np.stack([age, chance.choice([2.0, 20.0], size=rows), np.zeros(rows)], axis=1)
    ages_h[np.isnan(values)] = np.nan
    return values, ages_h
