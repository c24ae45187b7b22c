# ruff: noqa: S608 - the attacker writes the statements
"""An attack on every column of every table, for every kind of record; each must be found, and the record named.

The attacker may write the file and knows this product; the signing key and the exported checkpoint are elsewhere.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepdown.cli.commands import stepdown
from stepdown.domain.records import Draft, Fact, RecordKind
from stepdown.ledger.checkpoint import Checkpoint, sign_checkpoint
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk

KINDS = [kind for kind in RecordKind if kind is not RecordKind.RECORDS_PRUNED]
OF_KIND: dict[RecordKind, int] = {kind: 270 + number for number, kind in enumerate(KINDS)}
SIZE = 270 + len(KINDS) + 5
EARLY = 128


def write(folder: Path, *, secret: int = 1) -> None:
    """Enough records for a stored subtree, then one of each kind, and a few more; a checkpoint early and one late."""
    for count in (EARLY, SIZE - EARLY):
        one = LedgerOnDisk(folder, checkpoint_period_s=3600.0)
        begun = len(one.rows()) if one.file.exists() else 0
        for number in range(begun, begun + count):
            kind = next((kind for kind, place in OF_KIND.items() if place == number), RecordKind.ANSWER)
            facts: dict[str, Fact] = {"number": number, "secret": secret, "act": "tier_disabled"}
            one.store.submit(Draft(kind=kind, time_s=1_800_000_000.25 + number, facts=facts))
        one.store.start()
        one.store.close()
    (folder / "ledger.vkey").write_text(note_signer(NAME).key.line() + "\n")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    write(folder)
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "copy")
    return tmp_path / "copy"


def forge(file: Path, *statements: str) -> None:
    """What somebody does who drops the triggers first, and puts them back so that nothing shows."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.create_function("leaf", 1, lambda body: hashlib.sha256(b"\0" + body).digest())
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


def verdict(folder: Path, *, with_exported: bool = True) -> tuple[int, list[tuple[str, int, int]]]:
    """Exit code, and each finding with the records it names."""
    exported = ["--checkpoint", str(folder / "second-place" / "checkpoint")] if with_exported else []
    arguments = ["ledger", "verify", str(folder / "ledger.db"), "--key", str(folder / "ledger.vkey"), *exported]
    result = CliRunner().invoke(stepdown, [*arguments, "--json"])
    if not result.output.startswith("{"):
        return result.exit_code, []
    findings = json.loads(result.output)["findings"]
    return result.exit_code, [(each["finding"], each["first"], each["last"]) for each in findings]


def named(folder: Path, place: int, *kinds: str) -> bool:
    """Whether the copy is refused, and a finding of such a kind holds the place."""
    code, findings = verdict(folder)
    return code == 1 and any(kind in kinds and first <= place <= last for kind, first, last in findings)


def test_the_ledger_that_is_attacked_is_whole(folder: Path) -> None:
    assert verdict(folder) == (0, [])
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (SIZE,)
        assert connection.execute("SELECT count(*) FROM subtree").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM checkpoint").fetchone() == (2,)


COLUMNS = {
    "body": """UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '"secret":1', '"secret":2') AS BLOB)""",
    "body and leaf": """UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '"secret":1', '"secret":2') AS BLOB),
        leaf = leaf(CAST(replace(CAST(body AS TEXT), '"secret":1', '"secret":2') AS BLOB))""",
    "no body": "UPDATE record SET body = NULL",
    "empty body": "UPDATE record SET body = x''",
    "leaf": "UPDATE record SET leaf = zeroblob(32)",
    "short leaf": "UPDATE record SET leaf = x'00'",
    "kind": "UPDATE record SET kind = CASE kind WHEN 'REFUSAL' THEN 'ANSWER' ELSE 'REFUSAL' END",
    "time_us": "UPDATE record SET time_us = time_us - 3600000000",
    "gone": "DELETE FROM record",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_of_every_kind_of_record_is_covered(written: Path, tmp_path: Path, kind: RecordKind) -> None:
    place = OF_KIND[kind]
    for column, statement in COLUMNS.items():
        copy = tmp_path / column
        shutil.copytree(written, copy)
        forge(copy / "ledger.db", f"{statement} WHERE sequence = {place}")
        assert named(copy, place, "ALTERED", "REMOVED"), column


@pytest.mark.parametrize(
    ("statements", "place", "kind"),
    [
        (("UPDATE subtree SET digest = zeroblob(32)",), 0, "ALTERED"),
        (("UPDATE subtree SET position = 7",), 0, "ALTERED"),
        (("UPDATE subtree SET level = 16",), 0, "ALTERED"),
        (("DELETE FROM subtree",), 0, "ALTERED"),
        (("INSERT INTO subtree VALUES (8, 5, zeroblob(32))",), 5 * 256, "ALTERED"),
        (
            (f"UPDATE checkpoint SET note = replace(note, '{EARLY}', '{EARLY - 1}') WHERE size = {EARLY}",),
            EARLY,
            "FORGED",
        ),
        ((f"UPDATE checkpoint SET size = 100 WHERE size = {EARLY}",), 100, "FORGED"),
        (("UPDATE checkpoint SET note = 'nothing'",), EARLY, "FORGED"),
        (("UPDATE record SET sequence = -1 WHERE sequence = 5",), 5, "REORDERED"),
        (
            (
                "UPDATE record SET sequence = -9 WHERE sequence = 5",
                "UPDATE record SET sequence = 5 WHERE sequence = 9",
                "UPDATE record SET sequence = 9 WHERE sequence = -9",
            ),
            5,
            "REORDERED",
        ),
        (
            (f"INSERT INTO record SELECT {SIZE}, time_us, kind, leaf, body FROM record WHERE sequence = 7",),
            7,
            "INSERTED",
        ),
        (("DELETE FROM record WHERE sequence >= 272",), 272, "CUT"),
        (("DELETE FROM record WHERE sequence >= 140", f"DELETE FROM checkpoint WHERE size > {EARLY}"), 140, "CUT"),
        (("DELETE FROM record",), 0, "CUT"),
        ((f"UPDATE record SET sequence = 9999 WHERE sequence = {SIZE - 1}",), SIZE - 1, "ALTERED"),
        (("DROP INDEX record_of_kind",), 0, "FILE"),
        (
            (
                "DROP INDEX record_of_kind",
                "CREATE INDEX record_of_kind ON record (kind, sequence) WHERE kind <> 'OPERATOR_ACT'",
            ),
            0,
            "FILE",
        ),
        (
            ("CREATE TRIGGER forget AFTER INSERT ON record BEGIN DELETE FROM record WHERE kind = 'DENIAL'; END",),
            0,
            "FILE",
        ),
    ],
    ids=map(str, range(18)),
)
def test_what_is_done_to_tables_is_named(folder: Path, statements: tuple[str, ...], place: int, kind: str) -> None:
    forge(folder / "ledger.db", *statements)
    assert named(folder, place, kind), verdict(folder)


def test_an_index_that_was_written_by_hand_is_found(folder: Path) -> None:
    """`writable_schema` and a rewritten page: rows that a look-up by kind no longer finds."""
    file = folder / "ledger.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        root, size = (
            connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'record_of_kind'").fetchone()[0],
            connection.execute("PRAGMA page_size").fetchone()[0],
        )
    content = bytearray(file.read_bytes())
    page = content[(root - 1) * size : root * size]
    content[(root - 1) * size : root * size] = page.replace(b"OPERATOR_ACT", b"OPERATOR_ACX")
    assert bytes(content) != file.read_bytes()
    file.write_bytes(content)
    assert named(folder, OF_KIND[RecordKind.OPERATOR_ACT], "FILE")


def test_a_ledger_written_anew_under_the_same_name_is_not_what_was_signed(folder: Path, tmp_path: Path) -> None:
    """The attacker even has the signing key: the checkpoint that lies elsewhere still tells."""
    other = tmp_path / "other"
    write(other, secret=2)
    shutil.rmtree(other / "second-place")
    shutil.copytree(folder / "second-place", other / "second-place")
    assert named(other, 5, "NOT_AS_SIGNED")


def test_a_rewritten_history_with_a_checkpoint_of_another_key_is_forged(folder: Path) -> None:
    forged = sign_checkpoint(Checkpoint(origin=NAME, size=SIZE, root=b"\0" * 32), note_signer(NAME, seed=2))
    forge(folder / "ledger.db", f"UPDATE checkpoint SET note = '{forged}' WHERE size = {SIZE}")
    assert named(folder, SIZE, "FORGED")
    (folder / "second-place" / "checkpoint").write_text(forged)
    assert verdict(folder) == (1, [])


@pytest.mark.parametrize(
    "spoil",
    [lambda log: log[: len(log) // 2], lambda log: log[:0], lambda log: log[:40] + log[80:]],
    ids=["half", "empty", "torn"],
)
def test_a_log_that_was_cut_or_torn_shows_as_a_cut(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """The file of a running server is copied with its log; somebody tears the log."""
    one = LedgerOnDisk(tmp_path / "live", checkpoint_period_s=0.001)
    one.store.start()
    for number in range(12):
        one.record(number)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copyfile(one.folder / name, copy / name)
    one.store.close()
    shutil.copytree(one.folder / "second-place", copy / "second-place")
    (copy / "ledger.vkey").write_text(note_signer(NAME).key.line() + "\n")
    assert verdict(copy, with_exported=False) == (0, [])
    log = copy / "ledger.db-wal"
    log.write_bytes(spoil(log.read_bytes()))
    code, findings = verdict(copy)
    assert code == 1
    assert all(kind == "CUT" for kind, _, _ in findings)
