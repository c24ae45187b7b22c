"""How a ledger lies in SQLite, and how its file is opened. Format 1; a later one says so in `user_version`.

WAL with `synchronous=FULL`: what was committed is on the disk when the commit returns. Triggers refuse every change
but a body that retention lets go; they stop accidents, and signed checkpoints show the rest.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from stepdown.domain.records import LedgerError
from stepdown.ledger.stored_nodes import Stored

FORMAT = 1
APPLICATION_ID = 0x5354444C  # "STDL"
_BUSY_S = 0.25
_SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"

_TABLES = """
CREATE TABLE record (
    sequence INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    leaf BLOB NOT NULL,
    body BLOB
) STRICT;
CREATE INDEX record_of_kind ON record (kind, sequence) WHERE kind <> 'ANSWER';
CREATE TABLE subtree (
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
CREATE TRIGGER record_unchanged BEFORE UPDATE ON record
WHEN new.body IS NOT NULL OR new.sequence <> old.sequence OR new.time_us <> old.time_us OR new.kind <> old.kind
    OR new.leaf <> old.leaf
BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
CREATE TRIGGER subtree_stays BEFORE DELETE ON subtree BEGIN SELECT RAISE(ABORT, 'digests are never deleted'); END;
CREATE TRIGGER subtree_unchanged BEFORE UPDATE ON subtree BEGIN SELECT RAISE(ABORT, 'digests are never changed'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
CREATE TRIGGER checkpoint_unchanged BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The ledger at `path`, made if there is none. Raises: sqlite3.Error, OSError, LedgerError for another file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made here and not by SQLite, so that it is its owner's alone from its first byte on.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what retention lets go is overwritten
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            settings = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} {settings} COMMIT;")
        _require_ledger(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, *, is_copy: bool) -> sqlite3.Connection:
    """A ledger that somebody may be writing, or a copy that nobody writes, on any medium.

    Raises: LedgerError for what is no ledger, sqlite3.Error.
    """
    if not path.is_file():
        raise LedgerError(f"{path} is not there")
    log = path.with_name(path.name + "-wal")
    # A copy without a log beside it is whole, and SQLite need write nothing to look at it.
    how = "immutable=1" if is_copy and not (log.exists() and log.stat().st_size) else "mode=ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{how}", uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        _require_ledger(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def stored_digests(connection: sqlite3.Connection) -> Stored:
    """The digests that are kept: of each record, and of one level of subtrees in eight."""

    def stored(level: int, first: int, count: int) -> Sequence[bytes]:
        if level == 0:
            query = "SELECT leaf FROM record WHERE sequence >= ? AND sequence < ? ORDER BY sequence"
            rows = connection.execute(query, (first, first + count))
        else:
            query = "SELECT digest FROM subtree WHERE level = ? AND position >= ? AND position < ? ORDER BY position"
            rows = connection.execute(query, (level, first, first + count))
        return [digest for (digest,) in rows]

    return stored


def problems_of(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What is wrong with the file itself: pages and indexes that do not agree, and a schema that is not ours."""
    found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(3)") if text != "ok"]
    with closing(sqlite3.connect(":memory:")) as ours:
        ours.executescript(_TABLES)
        wanted = dict(ours.execute(_SCHEMA).fetchall())
    said = dict(connection.execute(_SCHEMA).fetchall())
    found += [f"{name} is not as this product makes it" for name, sql in said.items() if wanted.get(name) != sql]
    found += [f"{name} is missing" for name in wanted if name not in said]
    return tuple(found)


def _require_ledger(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise LedgerError(f"{path} is not a ledger")
    if version != FORMAT:
        raise LedgerError(f"{path} is a ledger of format {version}; this server knows format {FORMAT}")
