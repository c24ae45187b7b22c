"""The figures of one score over all test hours, and their bootstrap replicates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.metrics.bootstrap import Interval, interval, stay_weights
from models.training.metrics.calibration import brier, expected_calibration_error, fit_logistic, logit
from models.training.metrics.discrimination import Ranking, alert_figures, threshold_for_alert_rate
from models.training.metrics.utility import normalised_utility, stay_utilities
from models.training.stays import Stays

FIXED_ALERT_RATES = (0.01, 0.02, 0.05)
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredModel:
    """One row of the comparison.

    `alert_from` is the lowest score of MEDIUM, `utility_from` where the challenge's utility is highest on validation;
    `is_probability` is False for a rule's points, which have no calibration.
    """

    name: str
    title: str
    score: NDArray[np.float64]
    alert_from: float
    utility_from: float
    is_probability: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures:
    """Named figures with intervals, and the replicates behind them for paired differences."""

    model: ScoredModel
    figures: dict[str, Interval]
    replicates: dict[str, NDArray[np.float64]]


def judge(model: ScoredModel, stays: Stays, *, replicates: int) -> ModelFigures:
    """Compute every figure on the sample as it is and on each bootstrap replicate."""
    bench = _Bench(model, stays)
    point = bench.figures(np.ones(len(stays)))
    drawn = [bench.figures(weights) for weights in stay_weights(len(stays), replicates)]
    series = {name: np.array([figures[name] for figures in drawn]) for name in point}
    return ModelFigures(
        model=model,
        figures={name: interval(value, series[name]) for name, value in point.items()},
        replicates=series,
    )


def difference(first: ModelFigures, second: ModelFigures, name: str) -> Interval:
    """Return `first` minus `second` in one figure; the interval is of the paired difference, stay by stay."""
    value = first.figures[name].value - second.figures[name].value
    return interval(value, first.replicates[name] - second.replicates[name])


class _Bench:
    """What one model's figures need that does not change from replicate to replicate."""

    def __init__(self, model: ScoredModel, stays: Stays) -> None:
        self.model = model
        self.label = stays.label
        self.stay_of_row = stays.stay_of_row
        self.ranking = Ranking.of(model.score, stays.label)
        self.utility = stay_utilities(stays.label, model.score >= model.utility_from, stays.first_row)
        self.alerts = {"at_medium": model.score >= model.alert_from} | {
            f"at_{rate:.0%}": model.score >= threshold_for_alert_rate(model.score, rate) for rate in FIXED_ALERT_RATES
        }
        # Sorted once: a group of equal mass is then a cut of the running weight.
        self.order = np.argsort(model.score, kind="stable")
        self.whole = fit_logistic(logit(model.score), stays.label) if model.is_probability else None

    def figures(self, stay_weight: Weights) -> dict[str, float]:
        weights = stay_weight[self.stay_of_row]
        auroc, auprc = self.ranking.areas(weights)
        found = {"auroc": auroc, "auprc": auprc, "utility": normalised_utility(*self.utility, stay_weight)}
        for name, alert in self.alerts.items():
            outcome = alert_figures(alert, self.label, weights)
            found |= {
                f"alert_rate_{name}": outcome.alert_rate,
                f"sensitivity_{name}": outcome.sensitivity,
                f"ppv_{name}": outcome.ppv,
            }
        return found | (self._calibration(weights) if self.whole is not None else {})

    def _calibration(self, weights: Weights) -> dict[str, float]:
        score, label, weights = self.model.score[self.order], self.label[self.order], weights[self.order]
        fitted = fit_logistic(logit(score), label, weights, start=self.whole)
        return {
            "brier": brier(score, label, weights),
            "slope": fitted.slope,
            "intercept": fitted.intercept,
            "ece": expected_calibration_error(score, label, weights),
        }
