"""The challenge's utility score against values computed with the organisers' own function."""

import numpy as np
import pytest

from models.training.metrics.utility import (
    best_predictions,
    best_threshold,
    hour_terms,
    normalised_utility,
    stay_utilities,
    stay_utility,
)

HOURS = 30
FIRST_POSITIVE = 20
SEPTIC = (np.arange(HOURS) >= FIRST_POSITIVE).astype(np.int8)


def alerts(*spans: tuple[int, int], hours: int = HOURS) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    flags = np.zeros(hours, dtype=np.bool_)
    for first, last in spans:
        flags[first : last + 1] = True
    return flags


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (alerts(), -10.0),
        (alerts((13, 13)), -10.05),
        (alerts((14, 14)), -10.0),
        (alerts((17, 17)), -9.5),
        (alerts((20, 20)), -9.0),
        (alerts((23, 23)), -8.6667),
        (alerts((26, 26)), -8.3333),
        (alerts((29, 29)), -8.0),
        (alerts((14, 29)), 7.5),
        (alerts((20, 29)), 5.0),
        (alerts((0, 13)), -10.7),
        (alerts((0, 29)), 6.8),
    ],
)
def test_a_septic_stay_scores_as_the_official_function_says(
    predicted: np.ndarray[tuple[int], np.dtype[np.bool_]], expected: float
) -> None:
    assert stay_utility(SEPTIC, predicted) == pytest.approx(expected, abs=5e-5)


def test_false_alarms_cost_a_twentieth_each() -> None:
    label = np.zeros(24, dtype=np.int8)
    assert stay_utility(label, np.ones(24, dtype=np.bool_)) == pytest.approx(-1.2)
    assert stay_utility(label, np.zeros(24, dtype=np.bool_)) == 0.0


def test_a_stay_that_ends_before_sepsis_scores_as_the_official_function_says() -> None:
    label = np.array([0, 0, 0, 0, 1, 1], dtype=np.int8)
    assert stay_utility(label, alerts((2, 5), hours=6)) == pytest.approx(3.388888888888889)


def test_a_stay_septic_from_its_first_row_scores_as_the_official_function_says() -> None:
    label = np.ones(10, dtype=np.int8)
    assert stay_utility(label, np.ones(10, dtype=np.bool_)) == pytest.approx(5.0)
    assert stay_utility(label, np.zeros(10, dtype=np.bool_)) == pytest.approx(-10.0)


def test_no_prediction_beats_the_best_one() -> None:
    assert np.flatnonzero(best_predictions(SEPTIC)).tolist() == list(range(14, 30))
    rng = np.random.default_rng(0)
    best = stay_utility(SEPTIC, best_predictions(SEPTIC))
    assert all(stay_utility(SEPTIC, rng.random(HOURS) < share) <= best for share in np.linspace(0, 1, 200))


def test_hours_of_many_stays_add_up_to_each_stays_utility() -> None:
    label = np.concatenate([SEPTIC, np.zeros(24, dtype=np.int8), np.ones(10, dtype=np.int8)])
    first_row = np.array([0, 30, 54, 64])
    predicted = np.random.default_rng(1).random(64) < 0.4
    observed, best, silent = stay_utilities(label, predicted, first_row)
    spans = [slice(0, 30), slice(30, 54), slice(54, 64)]
    assert observed == pytest.approx([stay_utility(label[span], predicted[span]) for span in spans])
    assert best == pytest.approx([7.5, 0.0, 5.0])
    assert silent == pytest.approx([-10.0, 0.0, -10.0])


def test_silence_scores_nought_and_the_best_scores_one() -> None:
    label, first_row = np.concatenate([SEPTIC, np.zeros(24, dtype=np.int8)]), np.array([0, 30, 54])
    weights = np.ones(2)
    best = np.concatenate([best_predictions(SEPTIC), np.zeros(24, dtype=np.bool_)])
    assert normalised_utility(*stay_utilities(label, best, first_row), weights) == pytest.approx(1.0)
    assert normalised_utility(*stay_utilities(label, np.zeros_like(best), first_row), weights) == 0.0
    assert normalised_utility(*stay_utilities(label, np.ones_like(best), first_row), weights) == pytest.approx(
        (6.8 - 1.2 + 10.0) / 17.5
    )


def test_the_best_threshold_is_the_one_that_an_exhaustive_search_finds() -> None:
    rng = np.random.default_rng(2)
    label = np.concatenate([SEPTIC, np.zeros(70, dtype=np.int8)])
    first_row = np.array([0, 30, 100])
    score = np.round(rng.random(100) + 0.5 * label, 1)
    silent, gain = hour_terms(label, first_row)
    earned = {cut: float(np.sum(silent + gain * (score >= cut))) for cut in np.unique(score)}
    assert best_threshold(score, gain) == max(earned, key=lambda cut: (earned[cut], cut))


def test_where_every_alert_loses_the_best_threshold_is_never_reached() -> None:
    score = np.array([0.1, 0.5, 0.9])
    assert not np.any(score >= best_threshold(score, np.full(3, -0.05)))
