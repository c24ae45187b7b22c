"""Figures of scores whose quality is known, and paired differences between them."""

import numpy as np
import pytest

from models.training.evaluation.figures import ModelFigures, ScoredModel, difference, judge
from models.training.evaluation.subgroups import subgroup_figures, subgroups
from models.training.evaluation.tiers import TierBands, compare
from models.training.simulation.simulator import simulate
from models.training.stays import Stays

REPLICATES = 40


@pytest.fixture(scope="module")
def stays() -> Stays:
    return simulate(400, seed=12).stays


def row(name: str, score: np.ndarray[tuple[int], np.dtype[np.float64]], *, is_probability: bool = True) -> ScoredModel:
    return ScoredModel(
        name=name, title=name, score=score, alert_from=0.5, utility_from=0.5, is_probability=is_probability
    )


def judged(name: str, noise: float, stays: Stays) -> ModelFigures:
    rng = np.random.default_rng(5)
    logit = 4.0 * stays.label - 4.0 + noise * rng.normal(size=len(stays.label))
    return judge(row(name, 1 / (1 + np.exp(-logit))), stays, replicates=REPLICATES)


def test_less_noise_scores_better_in_every_figure(stays: Stays) -> None:
    better, worse = judged("better", 1.5, stays), judged("worse", 6.0, stays)
    assert better.figures["auroc"].value > 0.95 > worse.figures["auroc"].value > 0.5
    assert better.figures["utility"].value > worse.figures["utility"].value
    assert better.figures["brier"].value < worse.figures["brier"].value
    assert worse.figures["auroc"].low < worse.figures["auroc"].value < worse.figures["auroc"].high


def test_a_clear_difference_is_claimed_and_a_score_differs_from_itself_by_nothing(stays: Stays) -> None:
    better, worse = judged("better", 1.5, stays), judged("worse", 6.0, stays)
    assert difference(better, worse, "auroc").excludes_zero
    nothing = difference(better, better, "auroc")
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_points_of_a_rule_have_no_calibration(stays: Stays) -> None:
    figures = judge(row("rule", stays.label.astype(np.float64), is_probability=False), stays, replicates=2).figures
    assert "auroc" in figures
    assert not {"brier", "slope", "ece"} & set(figures)


def test_subgroups_partition_age_and_leave_out_the_unknown(stays: Stays) -> None:
    members = subgroups(stays)
    ages = np.stack([members[name] for name in members if name.startswith("age")])
    assert np.all(ages.sum(axis=0) == 1)
    units = np.stack([members[name] for name in ("medical unit", "surgical unit", "unit not recorded")])
    assert np.all(units.sum(axis=0) == 1)


def test_a_subgroup_without_both_outcomes_is_not_judged(stays: Stays) -> None:
    score = np.linspace(0, 1, len(stays.label))
    every = {group.name for group in subgroup_figures(score, 0.5, stays, replicates=2)}
    assert {"female", "male"} <= every
    well = stays.select(np.flatnonzero(~stays.is_septic))
    assert subgroup_figures(np.linspace(0, 1, len(well.label)), 0.5, well, replicates=2) == ()


def test_switching_to_a_silent_tier_loses_every_high_stay(stays: Stays) -> None:
    rng = np.random.default_rng(6)
    loud = TierBands(name="loud", band=rng.integers(0, 4, len(stays.label)))
    silent = TierBands(name="silent", band=np.zeros(len(stays.label), dtype=np.int64))
    figures = compare(loud, silent, stays, replicates=5).figures
    assert figures["alert_rate_jump"].value == -1.0
    assert figures["stays_losing_high"].value == 1.0
    same = compare(loud, loud, stays, replicates=5).figures
    assert same["kappa"].value == pytest.approx(1.0)
    assert same["stays_losing_high"].value == 0.0
