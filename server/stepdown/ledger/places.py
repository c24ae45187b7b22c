"""Which records are missing, moved or there twice, from the place that each record says it has.

A record holds its own place, and rows hold another: rows are compared as runs, within which the two go hand in hand.
What keeps its order is as much as can; the rest has been moved, put in, or is gone. Refuses to blame more runs than
`MOST_RUNS`: a copy shuffled beyond that is named as a whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_RUNS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Rows that follow one another, whose records say `first`, `first + 1` … of their places."""

    first: int
    count: int

    @property
    def end(self) -> int:
        """The place after the last."""
        return self.first + self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """Places from `first` to `end` - 1 whose records are gone, moved, or there more than once."""

    missing: tuple[Run, ...]
    moved: tuple[Run, ...]
    repeated: tuple[Run, ...]


class Places:
    """Takes the places in the order of rows."""

    def __init__(self) -> None:
        """Nothing seen yet: `end` is the place after the last that any record said to have."""
        self._runs: list[tuple[int, int]] = []
        self.end = 0
        self.is_shuffled = False

    def take(self, place: int) -> bool:
        """One more row. Says whether its record follows the one before."""
        self.end = max(self.end, place + 1)
        first, count = self._runs[-1] if self._runs else (0, 0)
        if self.is_shuffled:
            return False
        if place == first + count:
            self._runs[-1:] = [(first, count + 1)]
            return True
        if len(self._runs) == MOST_RUNS:
            self.is_shuffled = True
        else:
            self._runs.append((place, 1))
        return False

    def disorder(self) -> Disorder:
        """What is wrong with the order."""
        runs = [Run(first=first, count=count) for first, count in self._runs]
        kept = _in_order(runs)
        moved, repeated = [], []
        for number, run in enumerate(runs):
            if number not in kept:
                others = [runs[each] for each in kept]
                moved += list(_parts(run, others, shared=False))
                repeated += list(_parts(run, others, shared=True))
        repeated += _overlaps([runs[each] for each in sorted(kept)])
        return Disorder(missing=tuple(_gaps(runs)), moved=tuple(moved), repeated=tuple(repeated))


def _in_order(runs: Sequence[Run]) -> set[int]:
    """The numbers of the runs that keep their order and together hold the most records."""
    weight: list[int] = []
    came_from: list[int] = []
    for number, run in enumerate(runs):
        before = [each for each in range(number) if runs[each].first < run.first and runs[each].end < run.end]
        best = max(before, key=lambda each: weight[each], default=-1)
        weight.append(run.count + (weight[best] if best >= 0 else 0))
        came_from.append(best)
    kept = set()
    number = max(range(len(runs)), key=lambda each: weight[each], default=-1)
    while number >= 0:
        kept.add(number)
        number = came_from[number]
    return kept


def _gaps(runs: Sequence[Run]) -> Iterator[Run]:
    """The places that no run holds, up to the last that any does."""
    reached = 0
    for run in sorted(runs, key=lambda each: each.first):
        if run.first > reached:
            yield Run(first=reached, count=run.first - reached)
        reached = max(reached, run.end)


def _overlaps(kept: Sequence[Run]) -> list[Run]:
    """Places that two runs in order both hold."""
    return [
        Run(first=right.first, count=left.end - right.first) for left, right in pairwise(kept) if right.first < left.end
    ]


def _parts(run: Run, others: Sequence[Run], *, shared: bool) -> Iterator[Run]:
    """The parts of a run that the others hold too, or that none of them holds."""
    edges = {run.first, run.end}
    edges |= {edge for other in others for edge in (other.first, other.end) if run.first < edge < run.end}
    marks = sorted(edges)
    for first, end in pairwise(marks):
        if any(other.first <= first < other.end for other in others) is shared:
            yield Run(first=first, count=end - first)
