"""Windows: the last 48 hours up to an hour, never another stay's, never the future's."""

import numpy as np

from models.training.columns import INDEX, WINDOW_H
from models.training.simulation.simulator import simulate
from models.training.windows import windows

STAYS = simulate(40, seed=4).stays
ICULOS = INDEX["ICULOS"]


def test_the_last_row_is_the_hour_asked_for() -> None:
    rows = np.arange(len(STAYS.label))
    grid = windows(STAYS, rows)
    assert grid.shape == (len(rows), WINDOW_H, 40)
    assert np.array_equal(grid[:, -1], STAYS.predictors, equal_nan=True)


def test_hours_before_the_stay_are_missing_and_no_other_stay_leaks_in() -> None:
    rows = np.arange(len(STAYS.label))
    hours_held = (~np.isnan(windows(STAYS, rows)[:, :, ICULOS])).sum(axis=1)
    assert np.array_equal(hours_held, np.minimum(STAYS.hour_of_row + 1, WINDOW_H))


def test_hours_within_a_window_follow_one_another() -> None:
    longest = int(np.argmax(np.diff(STAYS.first_row)))
    end = STAYS.first_row[longest + 1] - 1
    clock = windows(STAYS, np.array([end]))[0, :, ICULOS]
    assert np.all(np.diff(clock) == 1)
    assert clock[-1] == STAYS.hour_of_row[end] + 1
