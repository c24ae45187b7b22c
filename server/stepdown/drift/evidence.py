"""How surprising counts are under the reference, in nats: minus the logarithm of (a bound on) the p-value.

Every figure takes the *effective* sample size: hours of one stay resemble each other, so a window of 500 assessments of
forty patients knows little more than forty. The reference is a sample as well: `reference_size` says of how many stays.
One scale for every test lets one threshold stand for one false-alarm rate.
"""

import numpy as np
from numpy.typing import NDArray

from stepdown.drift.divergence import Floats


def normal_tail_nats(z: Floats) -> Floats:
    """Return -ln Q(z) for the upper tail of the normal distribution, from below (Pollak's bound); ln 2 for z <= 0."""
    positive = np.maximum(z, 0.0)
    return np.asarray(positive**2 / 2 + np.log(np.sqrt(2 * np.pi) * (positive + np.sqrt(positive**2 + 8 / np.pi)) / 2))


def shape_nats(shares: Floats, expected: Floats, *, size: Floats, reference_size: float, degrees: Floats) -> Floats:
    """Evidence of any difference in shape: Pearson's chi-square [..., bins], tail by Wilson and Hilferty (1931).

    Bins of no expected share are left out; `degrees` of freedom is the number of the others less one, at least 1.
    """
    known = expected > 0
    distance = np.where(known, (shares - expected) ** 2 / np.where(known, expected, 1.0), 0.0).sum(axis=-1)
    chi_square = distance * size / (1 + size / reference_size)
    width = 2 / (9 * degrees)
    return normal_tail_nats((np.cbrt(chi_square / degrees) - (1 - width)) / np.sqrt(width))


def bin_nats(shares: Floats, expected: Floats, *, size: Floats, reference_size: float) -> Floats:
    """Evidence that some one bin [..., bins] is too full or too empty: Chernoff's bound, good for tiny samples."""
    known = expected > 0
    each = rate_nats(shares, np.where(known, expected, 0.5), size=size[..., None], reference_size=reference_size)
    bins = np.maximum(known.sum(axis=-1), 1)
    return np.asarray(np.maximum(np.where(known, each, 0.0).max(axis=-1) - np.log(bins), 0.0))


def trend_nats(shift: Floats, *, size: Floats, reference_size: float) -> Floats:
    """Evidence of a move up or down: `shift` of the mean in reference standard deviations, two-sided."""
    z = np.abs(shift) * np.sqrt(size / (1 + size / reference_size))
    return np.asarray(np.maximum(normal_tail_nats(z) - np.log(2), 0.0))


def rate_nats(rate: Floats, expected: Floats, *, size: Floats, reference_size: float) -> Floats:
    """Evidence that a rate is another one: Chernoff's bound, good for the rarest events; two-sided.

    An expected rate of none or all is taken as half an event in the reference.
    """
    least = 0.5 / (reference_size + 1)
    expected = np.clip(expected, least, 1 - least)
    divergence = _part(rate, expected) + _part(1 - rate, 1 - expected)
    return np.asarray(np.maximum(divergence * size / (1 + size / reference_size) - np.log(2), 0.0))


def effective_size(rows_per_encounter: NDArray[np.integer]) -> float:
    """Kish's effective sample size of so many rows each, as if the rows of one encounter were all alike; 0 for none."""
    rows = rows_per_encounter.sum()
    return float(rows) ** 2 / float((rows_per_encounter.astype(np.float64) ** 2).sum()) if rows else 0.0


def _part(share: Floats, expected: Floats) -> Floats:
    return np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0) / expected), 0.0)
