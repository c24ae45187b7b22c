"""The last few hundred assessments as counts, in blocks that fall out whole. Keeps counts, never a value."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepdown.drift.evidence import effective_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Counts [signals, bins] of a few assessments, which encounters they were of (opaque keys) and when they ended."""

    counts: NDArray[np.int64]
    encounters: NDArray[np.int64]
    end_s: float


class Window:
    """At most `rows` assessments, none older than `duration_s`. Counts of two windows of one layout may be added."""

    def __init__(self, *, rows: int, duration_s: float) -> None:
        """Start empty."""
        self._rows = rows
        self._duration_s = duration_s
        self._blocks: deque[Block] = deque()
        self._held = 0

    def add(self, block: Block) -> None:
        """Take a block in and let what is too old, or too many, fall out."""
        self._blocks.append(block)
        self._held += len(block.encounters)
        while self._blocks and (self._held > self._rows or self._too_old(block.end_s)):
            self._held -= len(self._blocks.popleft().encounters)

    def _too_old(self, now_s: float) -> bool:
        return self._blocks[0].end_s < now_s - self._duration_s

    @property
    def rows(self) -> int:
        """How many assessments are held."""
        return self._held

    def counts(self) -> NDArray[np.int64]:
        """Counts [signals, bins] over all blocks."""
        return np.asarray(np.sum([block.counts for block in self._blocks], axis=0))

    def worth(self) -> float:
        """The effective share of the assessments held: 1.0 when each is of an encounter of its own."""
        if not self._held:
            return 0.0
        keys = np.concatenate([block.encounters for block in self._blocks])
        return effective_size(np.unique(keys, return_counts=True)[1]) / self._held

    def clear(self) -> None:
        """Forget everything, as after an acknowledgement."""
        self._blocks.clear()
        self._held = 0


def count_codes(codes: NDArray[np.intp], present: NDArray[np.bool_], *, bins: int) -> NDArray[np.int64]:
    """Counts [signals, bins] of codes [rows, signals], where `present`."""
    signals = codes.shape[1]
    flat = codes + np.arange(signals) * bins
    return np.bincount(flat[present], minlength=signals * bins).reshape(signals, bins)
