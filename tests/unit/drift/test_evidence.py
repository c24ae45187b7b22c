"""How surprising counts are, against exact tails."""

from math import erfc, log, sqrt

import numpy as np
import pytest

from stepdown.drift.evidence import bin_nats, effective_size, normal_tail_nats, rate_nats, shape_nats, trend_nats

MANY = 1e12


@pytest.mark.parametrize("z", [0.0, 1.0, 3.0, 6.0])
def test_the_normal_tail_is_never_called_rarer_than_it_is(z: float) -> None:
    exact = -log(erfc(z / sqrt(2)) / 2)
    assert exact - 0.12 <= normal_tail_nats(np.array(z)) <= exact + 1e-9


@pytest.mark.parametrize(("chi_square", "exact_nats"), [(16.0, 9.67), (25.0, 14.37)])
def test_a_chi_square_has_at_most_the_evidence_of_its_exact_tail(chi_square: float, exact_nats: float) -> None:
    shares, expected = np.array([[0.55, 0.45]]), np.array([[0.5, 0.5]])
    size = np.array([chi_square / 0.01])
    nats = shape_nats(shares, expected, size=size, reference_size=MANY, degrees=np.array([1.0]))
    assert 0.85 * exact_nats <= nats[0] <= exact_nats


def test_bins_that_the_reference_does_not_know_are_left_out() -> None:
    shares, expected = np.array([[0.5, 0.5, 0.3]]), np.array([[0.5, 0.5, 0.0]])
    nats = shape_nats(shares, expected, size=np.array([1e6]), reference_size=MANY, degrees=np.array([1.0]))
    assert nats[0] < 1


def test_a_small_sample_in_one_bin_is_told_from_chance() -> None:
    stuck, tenths = np.eye(10)[:1], np.full((1, 10), 0.1)
    assert bin_nats(stuck, tenths, size=np.array([25.0]), reference_size=MANY)[0] == pytest.approx(
        25 * log(10) - log(2) - log(10)
    )
    assert bin_nats(tenths, tenths, size=np.array([25.0]), reference_size=MANY)[0] == 0


def test_a_trend_is_two_sided_and_grows_with_the_sample() -> None:
    small, large = (
        trend_nats(np.array([0.5, -0.5]), size=np.array([n, n]), reference_size=MANY) for n in (20.0, 200.0)
    )
    assert small[0] == small[1] < large[0]
    assert trend_nats(np.array([0.0]), size=np.array([100.0]), reference_size=MANY)[0] == 0


def test_a_rate_that_was_never_seen_is_surprising_and_finite() -> None:
    nats = rate_nats(np.array([0.0, 0.2]), np.array([0.0, 0.0]), size=np.array([100.0, 100.0]), reference_size=500.0)
    assert nats[0] == 0
    assert 50 < nats[1] < 500


def test_a_small_reference_takes_evidence_away() -> None:
    with_many, with_few = (
        rate_nats(np.array([0.3]), np.array([0.1]), size=np.array([100.0]), reference_size=n)[0] for n in (MANY, 100.0)
    )
    assert with_few < 0.6 * with_many


def test_hours_of_one_stay_count_as_one() -> None:
    assert effective_size(np.array([1] * 50)) == 50
    assert effective_size(np.array([10] * 50)) == 50
    assert effective_size(np.array([500])) == 1
    assert effective_size(np.array([], dtype=np.int64)) == 0
