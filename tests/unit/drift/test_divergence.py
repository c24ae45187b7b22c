"""Distances between histograms, against figures worked out by hand."""

from math import log, log2

import numpy as np
import pytest

from stepdown.drift.divergence import jensen_shannon, kolmogorov_smirnov, psi, smoothed

EVEN = np.array([5000, 5000])
SKEWED = np.array([2500, 7500])


def test_the_population_stability_index_is_the_textbook_figure() -> None:
    expected = (0.5 - 0.25) * log(0.5 / 0.25) + (0.5 - 0.75) * log(0.5 / 0.75)
    assert psi(EVEN, SKEWED) == pytest.approx(expected, rel=1e-3)


def test_the_jensen_shannon_divergence_is_the_textbook_figure() -> None:
    middle = (0.375, 0.625)
    halves = sum(p * log2(p / m) for p, m in zip((0.5, 0.5), middle, strict=True))
    halves += sum(q * log2(q / m) for q, m in zip((0.25, 0.75), middle, strict=True))
    assert jensen_shannon(EVEN, SKEWED) == pytest.approx(halves / 2, rel=1e-3)


def test_the_kolmogorov_smirnov_distance_is_the_widest_gap() -> None:
    assert kolmogorov_smirnov(EVEN, SKEWED) == pytest.approx(0.25, abs=1e-4)


def test_an_empty_bin_is_far_away_and_still_finite() -> None:
    assert 1 < psi(np.array([0, 1000]), np.array([1000, 0])) < 100


def test_a_bin_that_is_padding_counts_for_nothing() -> None:
    known = np.array([True, True, False])
    padded = psi(np.array([5000, 5000, 0]), np.array([2500, 7500, 0]), known)
    assert padded == pytest.approx(float(psi(EVEN, SKEWED)))
    assert smoothed(np.array([1, 1, 0]), known)[2] == 0
