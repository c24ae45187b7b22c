"""The Merkle tree of RFC 9162 section 2.1 over SHA-256: hashes, a tree that grows, proofs and their verification.

Refuses to know what a record says: to the tree it is bytes.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

NodeSource: TypeAlias = Callable[[int, int], bytes]
"""The digest of a complete subtree: of 2**level leaves, the first of them leaf number position * 2**level."""

Subtree: TypeAlias = tuple[int, int, bytes]
"""A complete subtree's level, position and digest."""


def leaf_hash(record: bytes) -> bytes:
    """The digest of a record. The prefix keeps leaves and nodes apart (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The digest of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree that is appended to. Holds one digest per set bit of its size, and nothing else."""

    def __init__(self, *, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start empty, or go on from `peaks`: the complete subtrees that `size` leaves make, the largest first."""
        if len(peaks) != size.bit_count():
            raise ValueError(f"{size} leaves make {size.bit_count()} complete subtrees, not {len(peaks)}")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[Subtree]:
        """Add a leaf's digest; gives every subtree above it that it completes."""
        level, position, digest = 0, self.size, leaf
        self.size += 1
        completed = []
        while position & 1:
            digest = node_hash(self._peaks.pop(), digest)
            level, position = level + 1, position >> 1
            completed.append((level, position, digest))
        self._peaks.append(digest)
        return completed

    def root(self) -> bytes:
        """The tree head's digest."""
        if not self._peaks:
            return EMPTY_ROOT
        digest = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            digest = node_hash(peak, digest)
        return digest

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """What `__init__` needs to go on from here."""
        return tuple(self._peaks)


def peaks_of(size: int, node: NodeSource) -> tuple[bytes, ...]:
    """The complete subtrees that the first `size` leaves make, the largest first."""
    peaks = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(node(level, start >> level))
            start += 1 << level
    return tuple(peaks)


def root_of(size: int, node: NodeSource) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """The path from leaf `index` to the root of the first `size` leaves (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among the first {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(first: int, second: int, node: NodeSource) -> tuple[bytes, ...]:
    """That the first `first` of `second` leaves are what they were then (RFC 9162 section 2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError(f"no proof leads from {first} to {second} leaves")
    path = []
    start, end, known = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start, known = middle, False
    if not known:
        path.append(_range_root(start, end, node))
    return tuple(reversed(path))


def includes(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, digest = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            digest = node_hash(step, digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = node_hash(digest, step)
        place, last = place >> 1, last >> 1
    return last == 0 and digest == root


def is_consistent(*, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the second tree begins with the first (RFC 9162 section 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    steps = list(path) if first & (first - 1) else [first_root, *path]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: NodeSource) -> bytes:
    """The root over leaves start to end - 1. `start` is a multiple of the largest power of two within."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_root(start, middle, node), _range_root(middle, end, node))
