"""How far two histograms lie apart. Finite for any counts; zero for equal counts.

PSI: population stability index, the symmetrised Kullback-Leibler divergence (Jeffreys). JS: Jensen-Shannon divergence
in bits, 0 to 1. KS: the largest distance between the cumulative shares (Kolmogorov-Smirnov on bins). Arrays are
[..., bins]; bins that are not `known` are padding and count for nothing.
"""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer] | NDArray[np.floating]
Floats = NDArray[np.float64]
Known = NDArray[np.bool_] | bool

_PRIOR = 0.5  # Jeffreys' prior: an empty bin is unlikely, not impossible, so no logarithm is infinite


def smoothed(counts: Counts, known: Known = True) -> Floats:  # noqa: FBT002 - a mask; True: every bin
    """Shares with Jeffreys' prior; they add up to one, and none that is known is zero."""
    prior = np.where(known, counts + _PRIOR, 0.0)
    return np.asarray(prior / prior.sum(axis=-1, keepdims=True))


def psi(one: Counts, other: Counts, known: Known = True) -> Floats:  # noqa: FBT002 - a mask
    """Return the population stability index; symmetric and never negative."""
    first, second = smoothed(one, known), smoothed(other, known)
    return np.asarray(((first - second) * _log_ratio(first, second)).sum(axis=-1))


def jensen_shannon(one: Counts, other: Counts, known: Known = True) -> Floats:  # noqa: FBT002 - a mask
    """Return the Jensen-Shannon divergence in bits."""
    first, second = smoothed(one, known), smoothed(other, known)
    middle = (first + second) / 2
    nats = (first * _log_ratio(first, middle) + second * _log_ratio(second, middle)).sum(axis=-1) / 2
    return np.asarray(np.maximum(nats / np.log(2), 0.0))


def kolmogorov_smirnov(one: Counts, other: Counts, known: Known = True) -> Floats:  # noqa: FBT002 - a mask
    """Return the largest distance of the cumulative shares."""
    first, second = np.cumsum(smoothed(one, known), axis=-1), np.cumsum(smoothed(other, known), axis=-1)
    return np.asarray(np.abs(first - second).max(axis=-1))


def _log_ratio(first: Floats, second: Floats) -> Floats:
    both = (first > 0) & (second > 0)
    return np.where(both, np.log(np.where(both, first, 1.0) / np.where(both, second, 1.0)), 0.0)
