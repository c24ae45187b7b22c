"""Any complete subtree of a large tree from a few stored digests: the leaves, and one level in eight above them.

So a record costs 1/255 of a digest more than its own, and a proof a few thousand hashes at most. Refuses to say where
the digests are kept.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stepdown.ledger.merkle import NodeSource, node_hash

LEVELS_PER_STORED = 8
"""Level 0 (the leaves), 8, 16 … are stored; those between are computed from at most 128 digests."""

Stored: TypeAlias = Callable[[int, int, int], Sequence[bytes]]
"""`count` digests of a stored level, from a position on: (level, first position, count)."""


def node_source(stored: Stored) -> NodeSource:
    """Subtrees from what is stored. Raises: LookupError where a digest is missing."""

    def node(level: int, position: int) -> bytes:
        above = level % LEVELS_PER_STORED
        count = 1 << above
        digests = list(stored(level - above, position << above, count))
        if len(digests) != count:
            raise LookupError(f"{count - len(digests)} digests are missing at level {level - above}")
        while len(digests) > 1:
            digests = [node_hash(*pair) for pair in zip(digests[::2], digests[1::2], strict=True)]
        return digests[0]

    return node


def is_stored(level: int) -> bool:
    """Whether subtrees of this level are kept beside the leaves."""
    return level > 0 and level % LEVELS_PER_STORED == 0
