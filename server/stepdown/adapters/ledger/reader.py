"""Reads a ledger that somebody writes, or a copy of one: records, checkpoints, and the digests that proofs are made of.

Every question opens the file anew, so that any thread may ask and nothing is held. Refuses to judge what it reads.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from stepdown.adapters.ledger.schema import open_for_reading, problems_of, stored_digests
from stepdown.domain.records import LedgerError, LedgerUnavailableError, ListedRecord, StoredRecord
from stepdown.ledger.merkle import consistency_proof, inclusion_proof
from stepdown.ledger.stored_nodes import node_source

_ABOVE_ALL = 1 << 62
_ONE = "SELECT sequence, time_us, kind, leaf, body FROM record WHERE sequence = ?"
_ALL = "SELECT sequence, leaf, body, kind, time_us FROM record ORDER BY sequence"
_NEWEST = """SELECT sequence, time_us, kind, leaf, body FROM record
    WHERE sequence < ? ORDER BY sequence DESC LIMIT ?"""
_NEWEST_ANSWERS = """SELECT sequence, time_us, kind, leaf, body FROM record
    WHERE kind = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?"""
_NEWEST_OF_KIND = """SELECT sequence, time_us, kind, leaf, body FROM record
    WHERE kind <> 'ANSWER' AND kind = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?"""


class LedgerReader:
    """Meets `ports.LedgerArchive`. Every method raises LedgerUnavailableError when the file cannot be read."""

    def __init__(self, path: Path, *, is_copy: bool = False) -> None:
        """`is_copy`: nobody writes it, and it may lie on a medium that cannot be written."""
        self._path = path
        self._is_copy = is_copy

    def record(self, sequence: int) -> ListedRecord | None:
        """One record, None where there is none."""
        found = self._listed(_ONE, (sequence,))
        return found[0] if found else None

    def records(self, *, before: int | None, kind: str, most: int) -> Sequence[ListedRecord]:
        """The newest records below a place, of one kind or (empty) of every kind."""
        below = _ABOVE_ALL if before is None else before
        if not kind:
            return self._listed(_NEWEST, (below, most))
        # Of the rare kinds there is an index, which SQLite takes only where the query itself excludes answers.
        return self._listed(_NEWEST_ANSWERS if kind == "ANSWER" else _NEWEST_OF_KIND, (kind, below, most))

    def place_of_time(self, time_us: int) -> int:
        """The first place whose record is from this time or later; records are nearly in the order of time."""
        with self._open() as connection:
            low, high = 0, connection.execute("SELECT coalesce(max(sequence) + 1, 0) FROM record").fetchone()[0]
            while low < high:
                middle = (low + high) // 2
                row = connection.execute("SELECT time_us FROM record WHERE sequence = ?", (middle,)).fetchone()
                low, high = (middle + 1, high) if row is not None and row[0] < time_us else (low, middle)
        return int(low)

    def checkpoint(self, size: int | None = None) -> tuple[int, str] | None:
        """The checkpoint at a size, or the newest, with its size; None where there is none."""
        at_most = _ABOVE_ALL if size is None else size
        with self._open() as connection:
            query = "SELECT size, note FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1"
            row = connection.execute(query, (at_most,)).fetchone()
        if row is None or size not in {None, row[0]}:
            return None
        return int(row[0]), str(row[1])

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file itself, whatever its records say."""
        with self._open() as connection:
            return problems_of(connection)

    def checkpoints(self) -> Sequence[tuple[int, str]]:
        """Every note with the size that its row says it is of, the smallest first."""
        with self._open() as connection:
            found = connection.execute("SELECT size, note FROM checkpoint ORDER BY size")
            return [(size, str(note)) for size, note in found]

    def rows(self) -> Iterator[StoredRecord]:
        """Every row, in order."""
        with self._open() as connection:
            for sequence, leaf, body, kind, time_us in connection.execute(_ALL):
                yield StoredRecord(
                    sequence=sequence,
                    leaf=_bytes(leaf) or b"",
                    body=_bytes(body),
                    kind=str(kind),
                    time_us=time_us if isinstance(time_us, int) else -1,
                )

    def subtrees(self) -> Mapping[tuple[int, int], bytes]:
        """Every digest that is kept above the records', by level and position."""
        with self._open() as connection:
            found = connection.execute("SELECT level, position, digest FROM subtree")
            return {(level, position): _bytes(digest) or b"" for level, position, digest in found}

    def inclusion(self, sequence: int, size: int) -> Sequence[bytes]:
        """The path from a record to the root of the first `size`."""
        with self._open() as connection:
            return inclusion_proof(sequence, size, node_source(stored_digests(connection)))

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """The proof that the first `second` records begin with the first `first`."""
        with self._open() as connection:
            return consistency_proof(first, second, node_source(stored_digests(connection)))

    def _listed(self, query: str, values: Sequence[object]) -> Sequence[ListedRecord]:
        with self._open() as connection:
            return [
                ListedRecord(sequence=sequence, time_s=time_us / 1e6, kind=kind, leaf=leaf, body=body)
                for sequence, time_us, kind, leaf, body in connection.execute(query, values)
            ]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = open_for_reading(self._path, is_copy=self._is_copy)
            try:
                yield connection
            finally:
                connection.close()
        except (sqlite3.Error, OSError, LookupError, LedgerError, UnicodeDecodeError) as error:
            # SQLite quotes a broken schema in its message, and Python cannot decode that.
            raise LedgerUnavailableError(f"{self._path.name} cannot be read: {error}") from error


def _bytes(stored: object) -> bytes | None:
    """A column as it should be; in a file that somebody wrote into, it may hold anything, and then differs."""
    return stored if stored is None or isinstance(stored, bytes) else repr(stored).encode()
