"""Ranking quality of a score, weighted by hour: a bootstrap replicate is a re-weighting, never a re-sort."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Hours sorted by falling score, once.

    `order` [R]; `last_of_tie` marks the ends of runs of equal scores; `positive` is in sorted order.
    """

    order: NDArray[np.int64]
    last_of_tie: NDArray[np.int64]
    positive: NDArray[np.float64]

    @classmethod
    def of(cls, score: NDArray[np.float64], label: NDArray[np.int8]) -> Self:
        """Sort `score` [R] against its `label` [R]."""
        order = np.argsort(-score, kind="stable")
        ordered = score[order]
        last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
        return cls(order=order, last_of_tie=last_of_tie, positive=label[order].astype(np.float64))

    def areas(self, weights: Weights) -> tuple[float, float]:
        """Return the areas under the ROC curve (ties count half) and the precision-recall curve (average precision)."""
        ordered = weights[self.order]
        hits = np.cumsum(ordered * self.positive)[self.last_of_tie]
        alerts = np.cumsum(ordered)[self.last_of_tie]
        false = alerts - hits
        # Trapezia between the distinct scores give every tie half a point.
        area = np.sum(np.diff(false, prepend=0.0) * (hits + np.concatenate([[0.0], hits[:-1]])) / 2)
        precision = np.divide(hits, alerts, out=np.zeros_like(hits), where=alerts > 0)
        average = np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1]
        return float(area / (hits[-1] * false[-1])), float(average)

    def auroc(self, weights: Weights) -> float:
        """Return the area under the receiver operating characteristic; ties count half."""
        return self.areas(weights)[0]


def threshold_for_alert_rate(score: NDArray[np.float64], rate: float) -> float:
    """Return the lowest threshold at which at most a share `rate` of hours scores at or above it."""
    ordered = np.sort(score)[::-1]
    allowed = int(np.floor(rate * len(ordered)))
    if allowed == 0:
        return float(np.nextafter(ordered[0], np.inf))
    threshold = ordered[allowed - 1]
    if allowed < len(ordered) and ordered[allowed] == threshold:
        return float(np.nextafter(threshold, np.inf))
    return float(threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFigures:
    """What one alert rule does on labelled hours. All are shares; `ppv` is NaN when nothing alerts."""

    alert_rate: float
    sensitivity: float
    ppv: float


def alert_figures(alert: NDArray[np.bool_], label: NDArray[np.int8], weights: Weights) -> AlertFigures:
    """Judge the hours where `alert` [R] holds against `label` [R]."""
    alerts = float(np.sum(weights * alert))
    hits = float(np.sum(weights * alert * label))
    return AlertFigures(
        alert_rate=alerts / float(np.sum(weights)),
        sensitivity=hits / float(np.sum(weights * label)),
        ppv=hits / alerts if alerts > 0 else float("nan"),
    )
