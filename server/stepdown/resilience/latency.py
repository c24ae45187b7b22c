"""Streaming latency quantiles, never over 10 % too high: logarithmic buckets that forget, bounded in memory."""

from bisect import bisect_left
from itertools import accumulate
from math import log2

_FLOOR_S = 1e-5
_PER_OCTAVE = 8
_BUCKETS = 22 * _PER_OCTAVE
_CAPACITY = 512.0


class LatencyTrack:
    """Quantiles over roughly the last few hundred observations; older ones fade by halving."""

    __slots__ = ("_cache", "_counts", "_total")

    def __init__(self) -> None:
        """Start knowing nothing: quantiles are None until the first observation."""
        self._counts = [0.0] * _BUCKETS
        self._total = 0.0
        self._cache: dict[float, float] = {}

    def observe(self, seconds: float, *, weight: float = 1.0) -> None:
        """Add one observation of `seconds` (anything below 10 µs counts as 10 µs)."""
        index = 0 if seconds <= _FLOOR_S else min(int(log2(seconds / _FLOOR_S) * _PER_OCTAVE), _BUCKETS - 1)
        self._counts[index] += weight
        self._total += weight
        self._cache.clear()
        if self._total > _CAPACITY:
            self._counts = [count / 2 for count in self._counts]
            self._total /= 2

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
