"""Streaming latency quantiles, never over 10 % too high: logarithmic buckets that forget, bounded in memory."""

from bisect import bisect_left
from itertools import accumulate
from math import log2

_FLOOR_S = 1e-5
_PER_OCTAVE = 8
_BUCKETS = 22 * _PER_OCTAVE
_MEMORY = 100.0
_LARGEST_GAIN = 1e9


class LatencyTrack:
    """Quantiles over roughly the last hundred observations; older ones fade exponentially.

    So short a memory is meant: when a device becomes slow the high quantiles follow within some ten runs and the median
    within less than a hundred, and they come down again as soon.
    """

    __slots__ = ("_cache", "_counts", "_gain", "_total")

    def __init__(self) -> None:
        """Start knowing nothing: quantiles are None until the first observation."""
        self._counts = [0.0] * _BUCKETS
        self._total = 0.0
        # What is new weighs more, which is the same as what is old weighing less, and touches one bucket only.
        self._gain = 1.0
        self._cache: dict[float, float] = {}

    def observe(self, seconds: float, *, weight: float = 1.0) -> None:
        """Add one observation of `seconds` (anything below 10 µs counts as 10 µs)."""
        index = 0 if seconds <= _FLOOR_S else min(int(log2(seconds / _FLOOR_S) * _PER_OCTAVE), _BUCKETS - 1)
        self._gain *= (1.0 + 1.0 / _MEMORY) ** weight
        self._counts[index] += weight * self._gain
        self._total += weight * self._gain
        self._cache.clear()
        if self._gain > _LARGEST_GAIN:
            self._counts = [count / self._gain for count in self._counts]
            self._total /= self._gain
            self._gain = 1.0

    def quantile_s(self, share: float) -> float | None:
        """Upper edge in seconds of the bucket that holds quantile `share` (0..1); None before any observation."""
        if self._total == 0.0:
            return None
        known = self._cache.get(share)
        if known is None:
            known = self._cache[share] = self._find(share)
        return known

    def _find(self, share: float) -> float:
        seen = list(accumulate(self._counts))
        index = bisect_left(seen, share * seen[-1])
        return float(_FLOOR_S * 2 ** ((index + 1) / _PER_OCTAVE))
