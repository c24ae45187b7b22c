"""Whether a whole copy of a ledger is what was signed; if not, which record was altered, moved, removed, put in or cut.

Rows are taken one by one, so that a ledger of any size fits. Three things are checked: each body against its digest,
each record against the digest of the one before, and the tree against every checkpoint that the key has signed.
Refuses to trust anything in the copy that no signature covers.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from stepdown.domain.records import LedgerError, Record, RecordKind, StoredRecord
from stepdown.ledger.checkpoint import Checkpoint, verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.merkle import GrowingTree, leaf_hash
from stepdown.ledger.places import Places, Run
from stepdown.ledger.signed_note import NoteKey, SignatureCheck
from stepdown.ledger.stored_nodes import is_stored

MOST_FINDINGS = 100
_US = 1_000_000
_ROUNDING_US = 2
"""A time in microseconds was cut off in the one place and rounded in the other."""


class FindingKind(StrEnum):
    """What was done to the copy."""

    ALTERED = "ALTERED"
    REMOVED = "REMOVED"
    INSERTED = "INSERTED"
    REORDERED = "REORDERED"
    CUT = "CUT"
    NOT_AS_SIGNED = "NOT_AS_SIGNED"
    FORGED = "FORGED"
    FILE = "FILE"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The checkpoints of a copy: those that are signed, and a finding for each that only says so."""

    signed: tuple[Checkpoint, ...]
    forged: tuple[Finding, ...]


def read_notes(notes: Iterable[tuple[int, str]], key: NoteKey, check: SignatureCheck) -> Notes:
    """What the copy itself says that was signed, each note with the size that it is filed under."""
    signed, forged = [], []
    for size, note in notes:
        try:
            checkpoint = _filed_under(size, verify_checkpoint(note, key, check))
        except LedgerError as error:
            detail = f"the checkpoint over so many records, in the copy itself: {error}"
            forged.append(Finding(kind=FindingKind.FORGED, first=size, last=size, detail=detail))
        else:
            signed.append(checkpoint)
    return Notes(signed=tuple(signed), forged=tuple(forged[:MOST_FINDINGS]))


def _filed_under(size: int, checkpoint: Checkpoint) -> Checkpoint:
    if checkpoint.size != size:
        raise LedgerError(f"it is filed under {size} records, and counts {checkpoint.size}")
    return checkpoint


def verify_copy(
    rows: Iterable[StoredRecord],
    checkpoints: Sequence[Checkpoint],
    *,
    subtrees: Mapping[tuple[int, int], bytes] | None = None,
    beside: Sequence[Finding] = (),
) -> Verdict:
    """Check a copy against checkpoints whose signatures have been verified, of one and the same ledger.

    `subtrees`: the digests above the records that the copy keeps, None where they are not looked at; `beside`: what was
    found in the copy by other means, to stand in the verdict. Raises: LedgerError when there is no checkpoint: without
    one, nothing says what the copy should be.
    """
    if not checkpoints:
        raise LedgerError("no checkpoint was given: without one, nothing says what the copy should be")
    examination = _Examination(checkpoints, subtrees)
    for row in rows:
        examination.take(row)
    verdict = examination.verdict()
    return replace(verdict, findings=(*verdict.findings, *beside))


class _Examination:
    """One pass over a copy."""

    def __init__(self, checkpoints: Sequence[Checkpoint], subtrees: Mapping[tuple[int, int], bytes] | None) -> None:
        self._subtrees = None if subtrees is None else dict(subtrees)
        self._wrong_subtree: tuple[int, int] | None = None
        self._checkpoints = sorted(checkpoints, key=lambda each: each.size)
        self._next = 0
        self._tree = GrowingTree()
        self._places = Places()
        self._shift = 0
        self._misfiled: list[int] = []
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
        for level, position, digest in self._tree.append(row.leaf):
            if is_stored(level) and self._subtrees is not None:
                self._weigh(level, position, digest)
        self._compare()

    def _read(self, row: StoredRecord, body: bytes) -> None:
        try:
            record = decode(body)
        except LedgerError as error:
            self._found(FindingKind.ALTERED, row.sequence, str(error))
            self._places.take(row.sequence + self._shift)
            return
        if not _is_filed_as(record, row):
            self._found(FindingKind.ALTERED, record.sequence, "its row says another kind or time than the record")
        self._shift = record.sequence - row.sequence
        if self._shift and len(self._misfiled) < MOST_FINDINGS:
            self._misfiled.append(record.sequence)
        if self._places.take(record.sequence) and record.previous != self._last_leaf:
            # The digest in this record was made when the one before was written; that one is not what it was.
            self._found(FindingKind.ALTERED, record.sequence - 1, "the record after it holds another digest of it")
        self._horizon = max(self._horizon, _horizon(record))

    def _weigh(self, level: int, position: int, digest: bytes) -> None:
        if self._subtrees is not None and self._subtrees.pop((level, position), b"") != digest:
            self._wrong_subtree = self._wrong_subtree or (level, position)

    def _compare(self) -> None:
        """Hold the tree against each checkpoint of this size.

        Where the key signed two that contradict each other, the history was written anew, and no earlier one counts.
        """
        here = []
        while self._next < len(self._checkpoints) and self._checkpoints[self._next].size == self._tree.size:
            here.append(self._checkpoints[self._next])
            self._next += 1
        wrong = [checkpoint for checkpoint in here if checkpoint.root != self._tree.root()]
        if wrong and self._not_as_signed is None:
            self._not_as_signed = (self._covered if len(wrong) == len(here) else 0, wrong[0])
        elif here and not wrong:
            self._covered = self._tree.size

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
        self._filing()
        self._kept_digests()
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

    def _filing(self) -> None:
        """Records in their order under other numbers than their own, where nothing that was named explains it."""
        if not self._findings:
            for place in self._misfiled:
                self._found(
                    FindingKind.ALTERED, place, "its row bears another number: nobody finds the record by its id"
                )

    def _kept_digests(self) -> None:
        """Digests above the records that are not theirs, where nothing that was named explains it."""
        if self._subtrees and self._wrong_subtree is None:
            self._wrong_subtree = min(self._subtrees)
        if self._wrong_subtree is not None and not self._findings:
            level, position = self._wrong_subtree
            detail = "the digest that is kept over these records is not theirs: no proof can be made from this copy"
            self._found(FindingKind.ALTERED, position << level, detail, count=1 << level)

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


def _is_filed_as(record: Record, row: StoredRecord) -> bool:
    """Whether what the row can be found by is what the record says."""
    if row.kind is None or row.time_us is None:
        return True
    try:
        time_us = datetime.fromisoformat(record.time).timestamp() * _US
    except ValueError:
        return False
    return row.kind == record.kind and abs(time_us - row.time_us) <= _ROUNDING_US


def _horizon(record: Record) -> int:
    before = record.facts.get("before", 0) if record.kind == RecordKind.RECORDS_PRUNED else 0
    return before if isinstance(before, int) else 0
