"""All totals that a score can still reach, as bit sets, and the verdict where they agree.

Checking only the least and the most is not enough: with a rule on single parameters the band need not rise with the
total, so every attainable combination between them is followed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from stepdown.domain.bands import Band


def bits(first: int, last: int) -> int:
    """The bit set of the totals `first`..`last`, both included."""
    return (1 << (last + 1)) - (1 << first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Totals within reach, one bit each: in `flagged` with one parameter alone at the trigger, in `plain` without."""

    plain: int
    flagged: int

    @classmethod
    def reached_by(cls, worlds: Iterable[Iterable[tuple[int, ...]]], *, trigger: int) -> Self:
        """Add up the rows of each world, every row in every number of points that it can earn there."""
        all_plain = all_flagged = 0
        for rows in worlds:
            plain, flagged = 1, 0
            for row in rows:
                plain, flagged = _spread(plain, flagged, row, trigger=trigger)
            all_plain |= plain
            all_flagged |= flagged
        return cls(plain=all_plain, flagged=all_flagged)

    @property
    def minimum(self) -> int:
        """The least total within reach."""
        union = self.plain | self.flagged
        return (union & -union).bit_length() - 1

    @property
    def maximum(self) -> int:
        """The greatest total within reach."""
        return (self.plain | self.flagged).bit_length() - 1


def _spread(plain: int, flagged: int, row: tuple[int, ...], *, trigger: int) -> tuple[int, int]:
    """Shift the totals so far by each number of points that one more row can earn."""
    next_plain = next_flagged = 0
    for points in row:
        if points < trigger:
            next_plain |= plain << points
            next_flagged |= flagged << points
        else:
            next_flagged |= (plain | flagged) << points
    return next_plain, next_flagged


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledVerdict:
    """What holds for the totals in `plain`, and for those in `flagged` where one parameter alone is at the trigger."""

    band: Band
    classification: str
    plain: int
    flagged: int

    def holds(self, totals: Totals) -> bool:
        """Whether any total within reach has this verdict."""
        return bool(self.plain & totals.plain or self.flagged & totals.flagged)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTable:
    """Verdicts on totals. `trigger` is the points of one parameter alone that change a verdict.

    `settled_plain[total]` and `settled_flagged[total]` hold the answers for known totals, worked out once.
    """

    verdicts: tuple[CompiledVerdict, ...]
    trigger: int
    undetermined: str
    settled_plain: tuple[tuple[Band, str], ...] = ()
    settled_flagged: tuple[tuple[Band, str], ...] = ()

    def settled_up_to(self, maximum_total: int) -> "VerdictTable":
        """The same table with the answers for the totals 0..`maximum_total` worked out."""
        plain = tuple(self.agreed(Totals(plain=1 << total, flagged=0)) for total in range(maximum_total + 1))
        flagged = tuple(self.agreed(Totals(plain=0, flagged=1 << total)) for total in range(maximum_total + 1))
        return VerdictTable(
            verdicts=self.verdicts,
            trigger=self.trigger,
            undetermined=self.undetermined,
            settled_plain=plain,
            settled_flagged=flagged,
        )

    def of(self, total: int, *, greatest: int) -> tuple[Band, str]:
        """The verdict on a known total whose greatest single row earned `greatest` points."""
        return self.settled_plain[total] if greatest < self.trigger else self.settled_flagged[total]

    def agreed(self, totals: Totals) -> tuple[Band, str]:
        """The band that every total within reach shares, else INDETERMINATE (as for a total that nobody can reach)."""
        held = [verdict for verdict in self.verdicts if verdict.holds(totals)]
        if held and all(verdict.band is held[0].band for verdict in held):
            return held[0].band, held[0].classification
        return Band.INDETERMINATE, self.undetermined
