"""Whether a probability means what it says: logistic recalibration, expected calibration error, Brier score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Weights = NDArray[np.float64]

NEWTON_STEPS = 30
SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """outcome ~ sigmoid(slope x logit + intercept). Of a perfect probability: slope 1, intercept 0."""

    slope: float
    intercept: float


def logit(probability: Probabilities) -> NDArray[np.float64]:
    """Return log odds; probabilities of 0 and 1 are pulled in by 1e-7."""
    inside = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(inside / (1 - inside))


def fit_logistic(
    score: NDArray[np.float64],
    label: NDArray[np.int8],
    weights: Weights | None = None,
    *,
    start: LogisticFit | None = None,
) -> LogisticFit:
    """Fit slope and intercept by Newton's method (Platt scaling when `score` is a raw logit).

    A fit of nearly the same hours is a good `start`.

    Raises:
        ValueError: the labels are all alike, or the score separates them perfectly; then no finite fit exists.

    """
    weight = np.ones_like(score) if weights is None else weights
    if not 0 < np.sum(weight * label) < np.sum(weight):
        raise ValueError("a logistic fit needs both outcomes")
    design = np.stack([score, np.ones_like(score)], axis=1)
    coefficients = np.zeros(2) if start is None else np.array([start.slope, start.intercept])
    for _ in range(NEWTON_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(design @ coefficients, -500, 500)))
        gradient = design.T @ (weight * (label - expected))
        curvature = (design * (weight * expected * (1 - expected))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004 -- converged
            return LogisticFit(slope=float(coefficients[0]), intercept=float(coefficients[1]))
    raise ValueError("no finite logistic fit: the score separates the outcomes")


def brier(probability: Probabilities, label: NDArray[np.int8], weights: Weights) -> float:
    """Mean squared difference between probability and outcome."""
    return float(np.average((probability - label) ** 2, weights=weights))


def expected_calibration_error(
    probability: Probabilities, label: NDArray[np.int8], weights: Weights, *, bins: int = 10
) -> float:
    """Mean |predicted - observed| over `bins` groups of equal weight."""
    predicted, observed, mass = reliability(probability, label, weights, bins=bins)
    return float(np.sum(np.abs(predicted - observed) * mass))


def reliability(
    probability: Probabilities, label: NDArray[np.int8], weights: Weights, *, bins: int = 10
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean predicted, share observed, and mass of each equal-weight group that is not empty."""
    order = np.argsort(probability, kind="stable")
    weight = weights[order]
    place = np.cumsum(weight) - weight / 2
    group = np.minimum((bins * place / weight.sum()).astype(np.int64), bins - 1)
    mass = np.bincount(group, weights=weight, minlength=bins)
    predicted = np.bincount(group, weights=weight * probability[order], minlength=bins)
    observed = np.bincount(group, weights=weight * label[order], minlength=bins)
    filled = mass > 0
    return predicted[filled] / mass[filled], observed[filled] / mass[filled], mass[filled] / mass.sum()
