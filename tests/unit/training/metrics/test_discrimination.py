"""Ranking figures against counting pairs by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.metrics.discrimination import Ranking, alert_figures, threshold_for_alert_rate

Scores = np.ndarray[tuple[int], np.dtype[np.float64]]
Labels = np.ndarray[tuple[int], np.dtype[np.int8]]


def pairs_won(score: Scores, label: Labels) -> float:
    above = score[label == 1][:, None] - score[label == 0][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def average_precision(score: Scores, label: Labels) -> float:
    total, recalled = 0.0, 0.0
    for cut in np.unique(score)[::-1]:
        chosen = score >= cut
        recall = label[chosen].sum() / label.sum()
        total += (recall - recalled) * label[chosen].mean()
        recalled = recall
    return float(total)


labelled_scores = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


@given(labelled_scores)
def test_areas_equal_counting_ties_included(rows: list[tuple[int, bool]]) -> None:
    score = np.array([value for value, _ in rows], dtype=np.float64)
    label = np.array([positive for _, positive in rows], dtype=np.int8)
    ranking, ones = Ranking.of(score, label), np.ones(len(rows))
    assert ranking.auroc(ones) == pytest.approx(pairs_won(score, label))
    assert ranking.areas(ones)[1] == pytest.approx(average_precision(score, label))


@given(labelled_scores, st.randoms(use_true_random=False))
def test_a_weight_of_two_is_the_same_hour_twice(rows: list[tuple[int, bool]], random: object) -> None:
    del random
    score = np.array([value for value, _ in rows], dtype=np.float64)
    label = np.array([positive for _, positive in rows], dtype=np.int8)
    weights = np.arange(len(rows)) % 3 + 1
    weighted = Ranking.of(score, label)
    repeated = Ranking.of(np.repeat(score, weights), np.repeat(label, weights))
    ones = np.ones(int(weights.sum()))
    assert weighted.auroc(weights.astype(np.float64)) == pytest.approx(repeated.auroc(ones))
    assert weighted.areas(weights.astype(np.float64)) == pytest.approx(repeated.areas(ones))


def test_the_official_example_ranks_perfectly() -> None:
    ranking = Ranking.of(np.array([0.3, 0.4, 0.6, 0.7, 0.8, 0.8]), np.array([0, 0, 0, 0, 1, 1], dtype=np.int8))
    assert ranking.auroc(np.ones(6)) == 1.0
    assert ranking.areas(np.ones(6)) == (1.0, 1.0)


@pytest.mark.parametrize(("rate", "alerting"), [(0.0, 0), (0.1, 0), (0.25, 1), (0.5, 1), (0.75, 3), (1.0, 4)])
def test_an_alert_rate_is_kept_from_below_when_scores_tie(rate: float, alerting: int) -> None:
    score = np.array([0.9, 0.5, 0.5, 0.1])
    assert int(np.sum(score >= threshold_for_alert_rate(score, rate))) == alerting


def test_alert_figures_are_counted_with_weights() -> None:
    alert = np.array([True, True, False, False])
    label = np.array([1, 0, 1, 0], dtype=np.int8)
    figures = alert_figures(alert, label, np.array([2.0, 1.0, 1.0, 4.0]))
    assert figures.alert_rate == pytest.approx(3 / 8)
    assert figures.sensitivity == pytest.approx(2 / 3)
    assert figures.ppv == pytest.approx(2 / 3)


def test_a_rule_that_never_alerts_has_no_predictive_value() -> None:
    figures = alert_figures(np.zeros(2, dtype=np.bool_), np.array([1, 0], dtype=np.int8), np.ones(2))
    assert figures.sensitivity == 0.0
    assert np.isnan(figures.ppv)
