"""Known answers: sixteen windows, ordinary and hostile, that a device must reproduce before it may serve."""

import io

import numpy as np
from numpy.typing import NDArray

from models.training.columns import COLUMN_COUNT, INDEX, WINDOW_H
from models.training.published import CONTRIBUTIONS, INPUT_CHECKS, OBSERVATIONS, PROBABILITY
from models.training.recipe import DEMO_SEED
from models.training.scoring import Graph, padding
from models.training.simulation.simulator import simulate
from models.training.windows import windows

POOL_STAYS = 2_048

# Accelerators may round matrix products to ten bits of mantissa; a wrong kernel or a wrong row is far outside this.
TOLERANCE: dict[str, float] = {PROBABILITY: 2e-3, CONTRIBUTIONS: 1e-2, INPUT_CHECKS: 2e-3}

STORIES = ("sepsis", "contained_infection", "sterile_inflammation", "bleeding", "pump_failure", "respiratory_failure",
           "copd", "beta_blocked", "kidney_disease")  # fmt: skip


def known_answers(graph: Graph) -> bytes:
    """Return the archive: `input.<name>`, `output.<name>`, `atol.<output name>`."""
    grid = golden_windows()
    arrays: dict[str, NDArray[np.generic]] = {f"input.{OBSERVATIONS}": grid}
    for name, value in graph.run(grid).items():
        arrays[f"output.{name}"] = value
        arrays[f"atol.{name}"] = np.array(TOLERANCE[name], dtype=np.float64)
    return _archive(arrays)


def golden_windows() -> NDArray[np.float32]:
    """Return the windows: nine stories, an hour before onset, a first hour, and five that no patient produces."""
    simulated = simulate(POOL_STAYS, seed=DEMO_SEED)
    stays, story = simulated.stays, simulated.story
    last_row = stays.first_row[1:] - 1
    rows = [int(last_row[np.flatnonzero(story[name] & (name == "sepsis" or ~story["sepsis"]))[0]]) for name in STORIES]
    septic = int(last_row[np.flatnonzero(story["late_onset"])[1]])
    ordinary = windows(stays, np.array([*rows, septic - 6, int(stays.first_row[7])]))
    return np.concatenate([ordinary, padding(), *_hostile(ordinary[0])]).astype(np.float32)


def _hostile(template: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    infinite, negative, fahrenheit, stuck = (template[None].copy() for _ in range(4))
    infinite[0, -5:, : COLUMN_COUNT // 2] = np.inf
    negative[0, :, INDEX["HR"]] = -np.inf
    negative[0, :, INDEX["Lactate"]] = np.float32(3e38)
    fahrenheit[0, :, INDEX["Temp"]] = fahrenheit[0, :, INDEX["Temp"]] * 9 / 5 + 32
    stuck[0, WINDOW_H - 12 :, INDEX["HR"]] = 88
    return [infinite, negative, fahrenheit, stuck]


def _archive(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=False, **arrays)
    return written.getvalue()
