"""One open ledger: appends records in one transaction, signs what is committed, lets old bodies go.

Used by one thread. Refuses to go on from a ledger that its own checkpoints do not confirm: a ledger that was cut or
changed is evidence, and is left as it is.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.ledger.schema import open_for_writing, stored_digests
from stepdown.domain.records import LedgerError, LedgerUnavailableError, RecordKind
from stepdown.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from stepdown.ledger.encoding import decode, encode, encode_facts
from stepdown.ledger.merkle import GrowingTree, leaf_hash, peaks_of, root_of
from stepdown.ledger.signed_note import Signer
from stepdown.ledger.stored_nodes import is_stored, node_source

PRUNED_AT_ONCE = 10_000
_US = 1_000_000
_INSERT_RECORD = "INSERT INTO record (sequence, time_us, kind, leaf, body) VALUES (?, ?, ?, ?, ?)"
_INSERT_SUBTREE = "INSERT INTO subtree (level, position, digest) VALUES (?, ?, ?)"
_INSERT_CHECKPOINT = "INSERT INTO checkpoint (size, time_us, note) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record without its place."""

    kind: RecordKind
    time_s: float
    facts: str


class Journal:
    """`size` records are committed; `checkpoint_size` of them are covered by the last signed checkpoint."""

    def __init__(self, path: Path, *, signer: Signer, exported: str | None) -> None:
        """Open or make it. `exported`: the last checkpoint in the second place, None if there is none.

        Raises: LedgerUnavailableError while another process holds it, sqlite3.Error, OSError; LedgerError when it is
        not what was signed.
        """
        self._signer = signer
        self._tree = GrowingTree()
        self._last_leaf = b""
        self._horizon = 0
        self.checkpoint_size = 0
        self._lock = _hold(path)
        try:
            self._connection = open_for_writing(path)
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._go_on(exported)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """How many records are committed."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """The root over them."""
        return self._tree.root()

    @property
    def checkpoint(self) -> Checkpoint:
        """What is committed now, to be signed by somebody else and then kept."""
        return Checkpoint(origin=self._signer.key.name, size=self._tree.size, root=self._tree.root())

    def keep(self, note: str, *, size: int, time_s: float) -> None:
        """Commit a checkpoint that was signed over the first `size` records. Raises: sqlite3.Error."""
        with self._transaction() as execute:
            execute(_INSERT_CHECKPOINT, (size, int(time_s * _US), note))
        self.checkpoint_size = size

    def append(
        self,
        entries: Sequence[Entry],
        *,
        time_s: float,
        is_checkpoint_due: bool = False,
        let_go: tuple[int, int] = (0, 0),
    ) -> str | None:
        """Commit the entries, with a checkpoint over them where one is due, which is returned.

        `let_go`: the bodies from the first of these places to before the second go in the same transaction. Raises
        sqlite3.Error: then nothing is known to be written, and this object is of no more use.
        """
        tree, leaf = GrowingTree(size=self._tree.size, peaks=self._tree.peaks), self._last_leaf
        rows, subtrees = [], []
        for entry in entries:
            body = encode(entry.kind, facts=entry.facts, time_s=entry.time_s, sequence=tree.size, previous=leaf)
            leaf = leaf_hash(body)
            rows.append((tree.size, int(entry.time_s * _US), entry.kind.value, leaf, body))
            subtrees += [completed for completed in tree.append(leaf) if is_stored(completed[0])]
        note = self._note(tree) if is_checkpoint_due and tree.size > self.checkpoint_size else None
        # From here on the tree is what the transaction will make it: asked for when it is in doubt whether it did.
        self._tree, self._last_leaf = tree, leaf
        with self._transaction() as execute:
            self._connection.executemany(_INSERT_RECORD, rows)
            self._connection.executemany(_INSERT_SUBTREE, subtrees)
            if note is not None:
                execute(_INSERT_CHECKPOINT, (tree.size, int(time_s * _US), note))
            if let_go[1] > let_go[0]:
                execute("UPDATE record SET body = NULL WHERE sequence >= ? AND sequence < ?", let_go)
        if note is not None:
            self.checkpoint_size = tree.size
        return note

    def prune(self, *, before_s: float, time_s: float) -> int:
        """Let go of the oldest bodies from before that time, up to a bound; say so on the ledger. Returns how many.

        Only records that a checkpoint covers. Raises: sqlite3.Error.
        """
        oldest = self._connection.execute(
            "SELECT sequence, time_us FROM record WHERE sequence >= ? AND sequence < ? ORDER BY sequence LIMIT ?",
            (self._horizon, self.checkpoint_size, PRUNED_AT_ONCE),
        )
        horizon = self._horizon
        for sequence, time_us in oldest:
            if time_us >= before_s * _US:
                break
            horizon = sequence + 1
        pruned = horizon - self._horizon
        if pruned:
            facts = encode_facts({"before": horizon, "count": pruned})
            entry = Entry(kind=RecordKind.RECORDS_PRUNED, time_s=time_s, facts=facts)
            self.append((entry,), time_s=time_s, let_go=(self._horizon, horizon))
            self._horizon = horizon
        return pruned

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        os.close(self._lock)

    # --- writing ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            yield execute
            execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _note(self, tree: GrowingTree) -> str:
        checkpoint = Checkpoint(origin=self._signer.key.name, size=tree.size, root=tree.root())
        return sign_checkpoint(checkpoint, self._signer)

    # --- going on --------------------------------------------------------------------------------------------------

    def _go_on(self, exported: str | None) -> None:
        self._stored = stored_digests(self._connection)
        size = self._one("SELECT coalesce(max(sequence) + 1, 0) FROM record")
        try:
            self._tree = GrowingTree(size=size, peaks=peaks_of(size, node_source(self._stored)))
        except LookupError as error:
            raise LedgerError(f"digests of the first {size} records are missing") from error
        self._last_leaf = self._stored(0, size - 1, 1)[0] if size else b""
        newest = self._connection.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        self.checkpoint_size = self._confirmed(newest[0], "its own last checkpoint") if newest is not None else 0
        if exported is not None:
            self._confirmed(exported, "the exported checkpoint")
        self._horizon = self._pruned_before()

    def _confirmed(self, note: str, what: str) -> int:
        """The size of a checkpoint that this ledger agrees with. Raises: LedgerError."""
        checkpoint = verify_checkpoint(note, self._signer.key, is_signed)
        if checkpoint.size > self._tree.size:
            raise LedgerError(f"it was cut: it holds {self._tree.size} records, and {what} counts {checkpoint.size}")
        if root_of(checkpoint.size, node_source(self._stored)) != checkpoint.root:
            raise LedgerError(f"it was changed: its first {checkpoint.size} records do not give the root of {what}")
        return checkpoint.size

    def _pruned_before(self) -> int:
        newest = self._connection.execute(
            "SELECT body FROM record WHERE kind = ? AND kind <> 'ANSWER' ORDER BY sequence DESC LIMIT 1",
            (RecordKind.RECORDS_PRUNED.value,),
        ).fetchone()
        before = decode(newest[0]).facts.get("before") if newest is not None and newest[0] is not None else 0
        return before if isinstance(before, int) else 0

    def _one(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def _hold(path: Path) -> int:
    """Take the ledger for this process alone. Raises: LedgerUnavailableError, OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise LedgerUnavailableError(f"another process writes {path.name}") from error
    return lock
