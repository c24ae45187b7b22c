"""The official utility score of the PhysioNet/CinC 2019 challenge (Reyna et al., Crit Care Med 2020;48:210), written anew from its definition.

A prediction earns most six hours before sepsis, loses when missed, and costs a little when false. Time is the row of the record,
and the label is already six hours early, so sepsis lies six rows after the first positive label.
"""

import numpy as np
from numpy.typing import NDArray

EARLIEST_H = -12
OPTIMAL_H = -6
LATEST_H = 3
BEST_HIT = 1.0
WORST_MISS = -2.0
FALSE_ALARM = -0.05

Labels = NDArray[np.int8]
Predictions = NDArray[np.bool_]


def stay_utility(label: Labels, predicted: Predictions) -> float:
    """Sum of the utility of every hour of one stay."""
    return float(np.sum(hour_utilities(label, predicted)))


def hour_utilities(label: Labels, predicted: Predictions) -> NDArray[np.float64]:
    """Return the utility of each hour of one stay: `label` and `predicted` are [hours]."""
    if not label.any():
        return np.where(predicted, FALSE_ALARM, 0.0)
    sepsis_row = int(np.argmax(label)) - OPTIMAL_H
    return np.where(predicted, *_septic_utilities(np.arange(len(label)) - sepsis_row))


def _septic_utilities(hour: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    early = hour <= OPTIMAL_H
    over = hour > LATEST_H
    rising = (hour - EARLIEST_H) * BEST_HIT / (OPTIMAL_H - EARLIEST_H)
    falling = (LATEST_H - hour) * BEST_HIT / (LATEST_H - OPTIMAL_H)
    hit = np.where(early, np.maximum(rising, FALSE_ALARM), falling)
    missed = np.where(early, 0.0, WORST_MISS * (hour - OPTIMAL_H) / (LATEST_H - OPTIMAL_H))
    return np.where(over, 0.0, hit), np.where(over, 0.0, missed)


def best_predictions(label: Labels) -> Predictions:
    """Return the predictions that score highest: from twelve hours before sepsis to three after, nothing for a stay without."""
    hours = np.arange(len(label))
    if not label.any():
        return np.zeros(len(label), dtype=np.bool_)
    sepsis_row = int(np.argmax(label)) - OPTIMAL_H
    return (hours >= sepsis_row + EARLIEST_H) & (hours <= sepsis_row + LATEST_H)


def stay_utilities(
    label: Labels, predicted: Predictions, first_row: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return per stay, [S] each: utility observed, of the best predictions, of no prediction at all."""
    spans = [slice(int(a), int(b)) for a, b in zip(first_row[:-1], first_row[1:], strict=True)]
    observed = np.array([stay_utility(label[span], predicted[span]) for span in spans])
    best = np.array([stay_utility(label[span], best_predictions(label[span])) for span in spans])
    silent = np.array([stay_utility(label[span], np.zeros_like(predicted[span])) for span in spans])
    return observed, best, silent


def normalised_utility(
    observed: NDArray[np.float64], best: NDArray[np.float64], silent: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Return the challenge's score: 0 for silence, 1 for the best possible; `weights` counts each stay."""
    floor = float(np.sum(weights * silent))
    return (float(np.sum(weights * observed)) - floor) / (float(np.sum(weights * best)) - floor)
