"""The utility score of the PhysioNet/CinC 2019 challenge, written anew from its definition.

Source: Reyna et al., Crit Care Med 2020;48:210.

A prediction earns most six hours before sepsis, loses when missed, and costs a little when false. Time is the row of
the record, and the label is already six hours early, so sepsis lies six rows after the first positive label.
"""

from itertools import pairwise

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
    """Return the predictions that score highest: from twelve hours before sepsis to three after, else nothing."""
    hours = np.arange(len(label))
    if not label.any():
        return np.zeros(len(label), dtype=np.bool_)
    sepsis_row = int(np.argmax(label)) - OPTIMAL_H
    return (hours >= sepsis_row + EARLIEST_H) & (hours <= sepsis_row + LATEST_H)


def hour_terms(label: Labels, first_row: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each hour of many stays what silence earns there and what an alert earns more, [R] each."""
    silent, gain = np.zeros(len(label)), np.full(len(label), FALSE_ALARM)
    for begin, end in pairwise(first_row.tolist()):
        if label[begin:end].any():
            quiet = np.zeros(end - begin, dtype=np.bool_)
            silent[begin:end] = hour_utilities(label[begin:end], quiet)
            gain[begin:end] = hour_utilities(label[begin:end], ~quiet) - silent[begin:end]
    return silent, gain


def best_threshold(score: NDArray[np.float64], gain: NDArray[np.float64]) -> float:
    """Return the threshold at which alerting at or above it earns most over hours with these gains."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    earned = np.cumsum(gain[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    best = last_of_tie[np.argmax(earned[last_of_tie])]
    return float(ordered[best]) if earned[best] > 0 else float(np.nextafter(ordered[0], np.inf))


def stay_utilities(
    label: Labels, predicted: Predictions, first_row: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return per stay, [S] each: utility observed, of the best predictions, of no prediction at all."""
    silent, gain = hour_terms(label, first_row)
    best = np.concatenate([best_predictions(label[begin:end]) for begin, end in pairwise(first_row.tolist())])
    sums = [np.add.reduceat(silent + gain * flags, first_row[:-1]) for flags in (predicted, best, np.zeros_like(best))]
    return sums[0], sums[1], sums[2]


def normalised_utility(
    observed: NDArray[np.float64], best: NDArray[np.float64], silent: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Return the challenge's score: 0 for silence, 1 for the best possible; `weights` counts each stay."""
    floor = float(np.sum(weights * silent))
    return (float(np.sum(weights * observed)) - floor) / (float(np.sum(weights * best)) - floor)
