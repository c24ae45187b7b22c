"""Calibration figures on scores whose calibration is known."""

import numpy as np
import pytest

from models.training.metrics.calibration import (
    LogisticFit,
    brier,
    expected_calibration_error,
    fit_logistic,
    logit,
    reliability,
)

RNG = np.random.default_rng(0)
LOGIT = RNG.normal(-2, 1.5, 60_000)
PROBABILITY = 1 / (1 + np.exp(-LOGIT))
LABEL = (RNG.random(60_000) < PROBABILITY).astype(np.int8)
ONES = np.ones(60_000)


def test_an_honest_probability_has_slope_one_and_intercept_nought() -> None:
    fitted = fit_logistic(LOGIT, LABEL)
    assert fitted.slope == pytest.approx(1, abs=0.03)
    assert fitted.intercept == pytest.approx(0, abs=0.05)
    assert expected_calibration_error(PROBABILITY, LABEL, ONES) < 0.004


def test_platt_scaling_undoes_a_known_distortion() -> None:
    fitted = fit_logistic(2 * LOGIT + 3, LABEL)
    assert fitted.slope == pytest.approx(0.5, abs=0.02)
    assert fitted.intercept == pytest.approx(-1.5, abs=0.06)


def test_a_boastful_probability_is_seen_by_slope_and_error() -> None:
    boastful = 1 / (1 + np.exp(-2 * LOGIT))
    assert fit_logistic(logit(boastful), LABEL).slope == pytest.approx(0.5, abs=0.02)
    assert expected_calibration_error(boastful, LABEL, ONES) > 0.03


def test_weights_count_like_repetition() -> None:
    weights = np.arange(len(LABEL)) % 3 + 1
    weighted = fit_logistic(LOGIT, LABEL, weights.astype(np.float64))
    repeated = fit_logistic(np.repeat(LOGIT, weights), np.repeat(LABEL, weights))
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-9)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-9)


def test_where_a_fit_starts_does_not_change_where_it_ends() -> None:
    near = fit_logistic(LOGIT, LABEL, start=LogisticFit(slope=0.8, intercept=-0.2))
    assert near.slope == pytest.approx(fit_logistic(LOGIT, LABEL).slope, abs=1e-9)


@pytest.mark.parametrize("label", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_one_outcome_alone_cannot_be_fitted(label: list[int]) -> None:
    with pytest.raises(ValueError, match="both outcomes"):
        fit_logistic(np.arange(4.0), np.array(label, dtype=np.int8))


def test_a_perfect_separation_is_refused_rather_than_run_to_infinity() -> None:
    with pytest.raises(ValueError, match="separates"):
        fit_logistic(np.array([-20.0, -10.0, 10.0, 20.0]), np.array([0, 0, 1, 1], dtype=np.int8))


def test_brier_is_the_mean_squared_distance() -> None:
    assert brier(np.array([0.0, 1.0, 0.5]), np.array([0, 0, 1], dtype=np.int8), np.array([1.0, 1.0, 2.0])) == 0.375


def test_calibration_error_of_a_constant_is_its_distance_from_the_prevalence() -> None:
    label = np.array([1, 0, 0, 0], dtype=np.int8)
    assert expected_calibration_error(np.full(4, 0.75), label, np.ones(4), bins=1) == pytest.approx(0.5)


def test_groups_hold_equal_weight() -> None:
    _, _, mass = reliability(PROBABILITY, LABEL, ONES)
    assert mass == pytest.approx(np.full(10, 0.1), abs=1e-4)


def test_certainty_has_a_finite_logit() -> None:
    assert np.all(np.isfinite(logit(np.array([0.0, 1.0]))))
