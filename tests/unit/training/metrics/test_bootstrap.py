"""Intervals over stays."""

import numpy as np
import pytest

from models.training.metrics.bootstrap import Interval, interval, stay_weights


def test_every_replicate_draws_as_many_stays_as_there_are_and_the_draws_repeat() -> None:
    first, second = list(stay_weights(50, 20)), list(stay_weights(50, 20))
    assert all(weights.sum() == 50 for weights in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(3).normal(0, 1, 400)
    means = np.array([np.average(values, weights=weights) for weights in stay_weights(400, 2_000)])
    found = interval(float(values.mean()), means)
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.1)
    assert found.low < values.mean() < found.high


def test_undefined_replicates_are_left_out_and_none_left_means_no_interval() -> None:
    found = interval(1.0, np.array([1.0, np.nan, 1.0]))
    assert (found.low, found.high) == (1.0, 1.0)
    assert np.isnan(interval(1.0, np.array([np.nan])).low)


@pytest.mark.parametrize(
    ("low", "high", "claims"), [(-0.1, 0.1, False), (0.01, 0.1, True), (-0.2, -0.1, True), (0.0, 0.1, False)]
)
def test_a_difference_is_claimed_only_when_its_interval_leaves_out_nought(
    low: float, high: float, claims: bool
) -> None:
    assert Interval(value=0.0, low=low, high=high).excludes_zero is claims
