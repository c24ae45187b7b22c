"""Whether a whole copy of a ledger is what was signed; if not, which record was altered, moved, removed, put in or cut.

Rows are taken one by one, so that a ledger of any size fits. Three things are checked: each body against its digest,
each record against the digest of the one before, and the tree against every checkpoint that the key has signed.
Refuses to trust anything in the copy that no signature covers.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stepdown.domain.records import LedgerError, Record, RecordKind, StoredRecord
from stepdown.ledger.checkpoint import Checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.merkle import GrowingTree, leaf_hash
from stepdown.ledger.places import Places, Run

MOST_FINDINGS = 100


class FindingKind(StrEnum):
    """What was done to the copy."""

    ALTERED = "ALTERED"
    REMOVED = "REMOVED"
    INSERTED = "INSERTED"
    REORDERED = "REORDERED"
    CUT = "CUT"
    NOT_AS_SIGNED = "NOT_AS_SIGNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with the records `first` to `last`."""

    kind: FindingKind
    first: int
    last: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome. `size` and `root` are the copy's; `covered` is the size of the largest checkpoint that it matches.

    `pruned`: how many of the first records are kept as digests only. Records from `covered` on are chained to the
    others, and no signature covers them yet.
    """

    size: int
    root: bytes
    covered: int
    pruned: int
    findings: tuple[Finding, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_copy(rows: Iterable[StoredRecord], checkpoints: Sequence[Checkpoint]) -> Verdict:
    """Check a copy against checkpoints whose signatures have been verified, of one and the same ledger.

    Raises: LedgerError when there is no checkpoint: without one, nothing says what the copy should be.
    """
    if not checkpoints:
        raise LedgerError("no checkpoint was given: without one, nothing says what the copy should be")
    examination = _Examination(checkpoints)
    for row in rows:
        examination.take(row)
    return examination.verdict()


class _Examination:
    """One pass over a copy."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._checkpoints = sorted(checkpoints, key=lambda each: each.size)
        self._next = 0
        self._tree = GrowingTree()
        self._places = Places()
        self._shift = 0
        self._findings: list[Finding] = []
        self._last_leaf = b""
        self._covered = 0
        self._not_as_signed: tuple[int, Checkpoint] | None = None
        self._bare = array("Q")
        self._horizon = 0
        self._compare()

    def take(self, row: StoredRecord) -> None:
        """The next row."""
        if row.body is None:
            self._bare.append(row.sequence)
            self._places.take(row.sequence + self._shift)
        elif leaf_hash(row.body) != row.leaf:
            self._found(FindingKind.ALTERED, row.sequence, "its bytes are not those that were digested")
            self._places.take(row.sequence + self._shift)
        else:
            self._read(row, row.body)
        self._last_leaf = row.leaf
        self._tree.append(row.leaf)
        self._compare()

    def _read(self, row: StoredRecord, body: bytes) -> None:
        try:
            record = decode(body)
        except LedgerError as error:
            self._found(FindingKind.ALTERED, row.sequence, str(error))
            self._places.take(row.sequence + self._shift)
            return
        self._shift = record.sequence - row.sequence
        if self._places.take(record.sequence) and record.previous != self._last_leaf:
            # The digest in this record was made when the one before was written; that one is not what it was.
            self._found(FindingKind.ALTERED, record.sequence - 1, "the record after it holds another digest of it")
        self._horizon = max(self._horizon, _horizon(record))

    def _compare(self) -> None:
        """Hold the tree against each checkpoint of this size."""
        while self._next < len(self._checkpoints) and self._checkpoints[self._next].size == self._tree.size:
            checkpoint = self._checkpoints[self._next]
            self._next += 1
            if checkpoint.root == self._tree.root():
                self._covered = checkpoint.size
            elif self._not_as_signed is None:
                self._not_as_signed = (self._covered, checkpoint)

    def _found(self, kind: FindingKind, first: int, detail: str, *, count: int = 1) -> None:
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(Finding(kind=kind, first=first, last=first + count - 1, detail=detail))

    def verdict(self) -> Verdict:
        """What was found, in the order of records."""
        self._order()
        self._retention()
        reached, last = self._places.end, self._checkpoints[-1].size
        if reached < last:
            detail = f"the copy ends at {reached} records, and a signed checkpoint counts {last}"
            self._found(FindingKind.CUT, reached, detail, count=last - reached)
        self._signature()
        return Verdict(
            size=self._tree.size,
            root=self._tree.root(),
            covered=self._covered,
            pruned=len(self._bare),
            findings=tuple(sorted(self._findings, key=lambda each: (each.first, each.last))),
        )

    def _signature(self) -> None:
        """A tree that is not as signed, where nothing that was named explains it."""
        if self._not_as_signed is None:
            return
        first, checkpoint = self._not_as_signed
        if not any(each.first < checkpoint.size for each in self._findings):
            detail = "these records do not give the root that was signed at the end of them"
            self._found(FindingKind.NOT_AS_SIGNED, first, detail, count=checkpoint.size - first)

    def _order(self) -> None:
        if self._places.is_shuffled:
            self._found(FindingKind.REORDERED, 0, "the records are in no order at all", count=self._tree.size)
            return
        disorder = self._places.disorder()
        self._name(FindingKind.REMOVED, disorder.missing, "no row holds it")
        self._name(FindingKind.REORDERED, disorder.moved, "it is in another record's place")
        self._name(FindingKind.INSERTED, disorder.repeated, "more than one row says to be this record")

    def _name(self, kind: FindingKind, runs: Iterable[Run], detail: str) -> None:
        for run in runs:
            self._found(kind, run.first, detail, count=run.count)

    def _retention(self) -> None:
        """Bodies may be gone up to where a record of the ledger itself says that they were let go."""
        for sequence in self._bare:
            if sequence >= self._horizon:
                detail = "its body is gone, and the ledger does not say that it was pruned"
                self._found(FindingKind.REMOVED, sequence, detail)


def _horizon(record: Record) -> int:
    before = record.facts.get("before", 0) if record.kind == RecordKind.RECORDS_PRUNED else 0
    return before if isinstance(before, int) else 0
