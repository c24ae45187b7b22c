"""A ledger as rows in memory, with checkpoints over it, as an honest writer makes them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from stepdown.domain.records import RecordKind, StoredRecord
from stepdown.ledger.checkpoint import Checkpoint
from stepdown.ledger.encoding import encode, encode_facts
from stepdown.ledger.merkle import GrowingTree, leaf_hash

ORIGIN = "hospital.example/ledger"


def body_at(sequence: int, *, previous: bytes, kind: RecordKind = RecordKind.ANSWER, **facts: int) -> bytes:
    """The bytes of a record that has this place."""
    said = encode_facts(facts or {"number": sequence})
    return encode(kind, facts=said, time_s=1_800_000_000.0 + sequence, sequence=sequence, previous=previous)


def row_of(sequence: int, body: bytes) -> StoredRecord:
    """The row that holds a body."""
    return StoredRecord(sequence=sequence, leaf=leaf_hash(body), body=body)


def honest_rows(count: int) -> list[StoredRecord]:
    """So many rows, each chained to the one before."""
    rows: list[StoredRecord] = []
    for sequence in range(count):
        rows.append(row_of(sequence, body_at(sequence, previous=rows[-1].leaf if rows else b"")))
    return rows


def checkpoints_at(rows: Iterable[StoredRecord], sizes: Sequence[int]) -> list[Checkpoint]:
    """What was signed when the ledger had these sizes."""
    tree, found = GrowingTree(), []
    for row in rows:
        tree.append(row.leaf)
        if tree.size in sizes:
            found.append(Checkpoint(origin=ORIGIN, size=tree.size, root=tree.root()))
    return found


def renumbered(rows: Iterable[StoredRecord]) -> list[StoredRecord]:
    """Rows whose places leave no gap, as somebody would number them who hides what was done."""
    return [replace(row, sequence=sequence) for sequence, row in enumerate(rows)]
