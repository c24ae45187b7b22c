"""The same figures by age, sex and unit: the largest gap is what a fairness statement has to name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.columns import INDEX
from models.training.metrics.bootstrap import Interval, interval, stay_weights
from models.training.metrics.discrimination import Ranking, alert_figures
from models.training.stays import Stays

AGE_CUTS = (50, 70)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupFigures:
    """One subgroup of stays."""

    name: str
    stays: int
    auroc: Interval
    alert_rate: Interval
    sensitivity: Interval


def subgroups(stays: Stays) -> dict[str, NDArray[np.bool_]]:
    """Return which stays belong to each subgroup, bool [S]; unknown sex or unit belongs to none."""
    first = stays.predictors[stays.first_row[:-1]]
    age, sex, medical = first[:, INDEX["Age"]], first[:, INDEX["Gender"]], first[:, INDEX["Unit1"]]
    younger, older = AGE_CUTS
    return {
        f"age under {younger}": age < younger,
        f"age {younger} to {older - 1}": (age >= younger) & (age < older),
        f"age {older} and over": age >= older,
        "female": sex == 0,
        "male": sex == 1,
        "medical unit": medical == 1,
        "surgical unit": medical == 0,
        "unit not recorded": np.isnan(medical),
    }


def subgroup_figures(
    score: NDArray[np.float64], alert_from: float, stays: Stays, *, replicates: int
) -> tuple[SubgroupFigures, ...]:
    """Judge every subgroup that holds both septic and other stays."""
    found = []
    for name, member in subgroups(stays).items():
        chosen = np.flatnonzero(member)
        part = stays.select(chosen)
        if not len(chosen) or not 0 < part.is_septic.sum() < len(part):
            continue
        rows = member[stays.stay_of_row]
        found.append(_judge(name, score[rows], alert_from, part, replicates))
    return tuple(found)


def _judge(name: str, score: NDArray[np.float64], alert_from: float, part: Stays, replicates: int) -> SubgroupFigures:
    ranking, alert, owner = Ranking.of(score, part.label), score >= alert_from, part.stay_of_row

    def figures(stay_weight: NDArray[np.float64]) -> tuple[float, float, float]:
        weights = stay_weight[owner]
        outcome = alert_figures(alert, part.label, weights)
        return ranking.auroc(weights), outcome.alert_rate, outcome.sensitivity

    point = figures(np.ones(len(part)))
    drawn = np.array([figures(weights) for weights in stay_weights(len(part), replicates)])
    auroc, alert_rate, sensitivity = (interval(value, drawn[:, at]) for at, value in enumerate(point))
    return SubgroupFigures(name=name, stays=len(part), auroc=auroc, alert_rate=alert_rate, sensitivity=sensitivity)
