"""Points for one value: the compiled form of a table. What is not a finite number or a known code earns None."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Banding:
    """Points by where a number falls among rising `cuts`; `points` has one entry more. Covers every finite number.

    `attainable` holds every number of points that some value earns, once.
    """

    cuts: tuple[float, ...]
    points: tuple[int, ...]
    attainable: tuple[int, ...]

    def segment(self, value: object) -> int | None:
        """Index of the band that holds `value`; None for a bool, text, NaN or infinity (bisection misplaces them)."""
        if isinstance(value, bool) or not isinstance(value, (float, int)) or not -inf < value < inf:
            return None
        return bisect_right(self.cuts, value)

    def earned(self, value: object) -> int | None:
        """Points of `value`, None where it cannot be scored."""
        if type(value) is float and -inf < value < inf:  # what intake sends; the rest is for whatever else may come
            return self.points[bisect_right(self.cuts, value)]
        segment = self.segment(value)
        return None if segment is None else self.points[segment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """Points by code; `attainable` as in `Banding`."""

    codes: Mapping[str, int]
    attainable: tuple[int, ...]

    def earned(self, value: object) -> int | None:
        """Points of `value`, None where it is not a code that this table scores."""
        return self.codes.get(value) if isinstance(value, str) else None


PointScale = Banding | Coding
