"""Windows: the last 48 hours up to an hour, never another stay's, never the future's."""

import numpy as np
import pytest

from models.training.columns import INDEX, WINDOW_H
from models.training.simulation.simulator import simulate
from models.training.stays import Stays
from models.training.windows import windows

ICULOS = INDEX["ICULOS"]


@pytest.fixture
def stays() -> Stays:
    return simulate(40, seed=4).stays


def test_the_last_row_is_the_hour_asked_for(stays: Stays) -> None:
    rows = np.arange(len(stays.label))
    grid = windows(stays, rows)
    assert grid.shape == (len(rows), WINDOW_H, 40)
    assert np.array_equal(grid[:, -1], stays.predictors, equal_nan=True)


def test_hours_before_the_stay_are_missing_and_no_other_stay_leaks_in(stays: Stays) -> None:
    rows = np.arange(len(stays.label))
    hours_held = (~np.isnan(windows(stays, rows)[:, :, ICULOS])).sum(axis=1)
    assert np.array_equal(hours_held, np.minimum(stays.hour_of_row + 1, WINDOW_H))


def test_hours_within_a_window_follow_one_another(stays: Stays) -> None:
    longest = int(np.argmax(np.diff(stays.first_row)))
    end = stays.first_row[longest + 1] - 1
    clock = windows(stays, np.array([end]))[0, :, ICULOS]
    assert np.all(np.diff(clock) == 1)
    assert clock[-1] == stays.hour_of_row[end] + 1
