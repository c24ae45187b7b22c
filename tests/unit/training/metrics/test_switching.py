"""What a switch of tiers does to bands and alerts, counted by hand."""

import numpy as np
import pytest

from models.training.metrics.switching import band_tables, bands, switch_figures, weighted_kappa


def test_hours_are_counted_by_stay_band_before_and_band_after() -> None:
    tables = band_tables(np.array([0, 3, 3, 2]), np.array([0, 3, 0, 1]), np.array([0, 0, 1, 1]), 2)
    assert tables.shape == (2, 4, 4)
    assert tables[0, 0, 0] == tables[0, 3, 3] == tables[1, 3, 0] == tables[1, 2, 1] == 1
    assert tables.sum() == 4


def test_a_switch_to_the_same_bands_changes_nothing() -> None:
    figures = switch_figures(np.diag([80.0, 10.0, 6.0, 4.0]))
    assert figures["alert_rate_jump"] == figures["alert_flips"] == figures["high_flips"] == 0.0
    assert figures["kappa"] == pytest.approx(1.0)


def test_jump_flips_and_losses_are_counted() -> None:
    table = np.zeros((4, 4))
    table[0, 0], table[0, 2], table[2, 2], table[3, 3], table[3, 0], table[2, 1] = 80, 6, 4, 4, 2, 4
    figures = switch_figures(table)
    assert figures["alert_rate_before"] == pytest.approx(0.14)
    assert figures["alert_rate_after"] == pytest.approx(0.14)
    assert figures["alert_rate_jump"] == pytest.approx(0.0)
    assert figures["alert_flips"] == pytest.approx(0.12)
    assert figures["high_flips"] == pytest.approx(2 / 6)
    assert figures["high_to_low"] == pytest.approx(2 / 6)
    assert figures["high_rate_jump"] == pytest.approx(4 / 6 - 1)


def test_a_tier_without_alerts_has_no_jump_to_speak_of() -> None:
    table = np.zeros((4, 4))
    table[0, 3] = 5
    assert np.isnan(switch_figures(table)["alert_rate_jump"])
    assert np.isnan(switch_figures(table)["high_flips"])


def test_kappa_weighs_by_the_square_of_the_distance() -> None:
    table = np.zeros((3, 3))
    table[0, 0], table[2, 2], table[0, 2] = 2, 2, 1
    # rows (3, 0, 2), columns (2, 0, 3): expected 0->2 is 3*3/5, expected 2->0 is 2*2/5, each penalised by 4
    assert weighted_kappa(table) == pytest.approx(1 - (4 * 1) / (4 * (9 + 4) / 5))
    table[0, 2], table[0, 1] = 0, 1
    # rows (3, 0, 2), columns (2, 1, 2): penalties 1 for 0->1 and 2->1, 4 for 0->2 and 2->0
    assert weighted_kappa(table) == pytest.approx(1 - 1 / ((3 * 1 + 2 * 1 + 4 * 3 * 2 + 4 * 2 * 2) / 5))


def test_kappa_is_nought_by_chance_and_punishes_distance() -> None:
    assert weighted_kappa(np.full((4, 4), 5.0)) == pytest.approx(0.0)
    near, far = np.diag([10.0] * 4), np.diag([10.0] * 4)
    near[0, 1], far[0, 3] = 5, 5
    assert weighted_kappa(near) > weighted_kappa(far)
    assert np.isnan(weighted_kappa(np.diag([5.0, 0, 0, 0])))


def test_a_score_at_a_threshold_belongs_to_the_higher_band() -> None:
    assert bands(np.array([0.01, 0.02, 0.05, 0.12, 0.9]), (0.02, 0.05, 0.12)).tolist() == [0, 1, 2, 3, 3]
