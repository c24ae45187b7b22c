"""Bins merged, padded and scored."""

import numpy as np

from stepdown.drift.reference import Histogram
from stepdown.drift.signals import lay_out


def test_thin_bins_join_their_neighbours() -> None:
    layout = lay_out({"a": Histogram(edges=(1.0, 2.0, 3.0), counts=(1, 50, 48, 1))})
    assert layout.counts[0, :2].tolist() == [51, 49]
    assert layout.expected[0].sum() == 1.0
    assert layout.edges[0, 0] == 2.0
    assert layout.degrees[0] == 1


def test_an_empty_first_bin_needs_no_edge() -> None:
    layout = lay_out({"sex": Histogram(edges=(0.0, 1.0), counts=(0, 600, 400))})
    assert layout.code(np.array([[0.0], [1.0]])).tolist() == [[0], [1]]


def test_bins_are_scored_in_standard_deviations_about_the_middle() -> None:
    layout = lay_out({"a": Histogram(edges=(1.0, 2.0), counts=(20, 60, 20)), "b": Histogram(edges=(), counts=(5,))})
    assert np.allclose((layout.expected * layout.scores).sum(axis=1), 0)
    assert np.isclose((layout.expected[0] * layout.scores[0] ** 2).sum(), 1)
    assert layout.scores[1].tolist() == [0.0] * 16


def test_nothing_at_all_lays_out_as_nothing() -> None:
    assert lay_out({}).names == ()
    assert lay_out({"a": Histogram(edges=(), counts=(0,))}).degrees.tolist() == [1.0]
