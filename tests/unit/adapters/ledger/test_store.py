import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.records import Draft, LedgerState, RecordKind
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.retention import Retention
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME, PATIENCE_S, LedgerOnDisk


def test_an_acknowledged_record_is_on_the_disk_when_its_id_is_given(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger()
    assert [one.record(number) for number in range(3)] == [f"{NAME}/0", f"{NAME}/1", f"{NAME}/2"]
    assert one.numbers() == [0, 1, 2]


def test_a_record_handed_over_before_the_ledger_is_open_is_written_too(tmp_path: Path) -> None:
    one = LedgerOnDisk(tmp_path)
    receipt = one.store.submit(Draft(kind=RecordKind.SERVER_STARTED, time_s=0.0, facts={}))
    assert one.store.status().state is LedgerState.OPENING
    one.store.start()
    one.store.close()
    assert receipt.record_id == f"{NAME}/0"


def test_a_ledger_goes_on_where_it_ended(ledger: Callable[..., LedgerOnDisk]) -> None:
    first = ledger()
    for number in range(5):
        first.record(number)
    first.store.close()
    second = ledger()
    assert second.record(5) == f"{NAME}/5"
    assert second.numbers() == [0, 1, 2, 3, 4, 5]
    previous = [decode(body).previous for body in second.rows() if isinstance(body, bytes)]
    assert previous[1:] == second.rows("SELECT leaf FROM record ORDER BY sequence")[:-1]


def test_what_was_written_is_signed_and_exported_at_the_latest_when_it_closes(
    ledger: Callable[..., LedgerOnDisk],
) -> None:
    one = ledger(checkpoint_period_s=3600.0)
    for number in range(3):
        one.record(number)
    one.store.close()
    checkpoint = verify_checkpoint(one.exported.read_text(), note_signer(NAME).key, is_signed)
    assert checkpoint.size == 3
    status = one.store.status()
    assert (status.state, status.size, status.checkpoint_size) == (LedgerState.CLOSED, 3, 3)
    assert (status.waiting, status.checkpoint_lag_s) == (0, 0.0)


def test_a_checkpoint_follows_the_last_record_after_its_period(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger(checkpoint_period_s=0.02)
    one.record(0)
    one.record(1)
    with closing(sqlite3.connect(one.file)) as connection:
        sizes: list[int] = []
        until_s = time.monotonic() + PATIENCE_S
        while sizes[-1:] != [2] and time.monotonic() < until_s:
            sizes = [size for (size,) in connection.execute("SELECT size FROM checkpoint ORDER BY size")]
    assert sizes[-1] == 2


def forge(one: LedgerOnDisk, *statements: str) -> None:
    """Change a ledger as somebody would who may write the file."""
    with closing(sqlite3.connect(one.file, isolation_level=None)) as connection:
        for trigger in ("record_stays", "record_unchanged", "checkpoint_stays", "checkpoint_unchanged"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("DELETE FROM record WHERE sequence > 2",), "it was cut: it holds 3 records"),
        (
            ("DELETE FROM record WHERE sequence > 2", "DELETE FROM checkpoint"),
            "it was cut: it holds 3 records, and the exported checkpoint counts 5",
        ),
        (("UPDATE record SET leaf = zeroblob(32) WHERE sequence = 1",), "it was changed: its first 5 records"),
        (("DELETE FROM record WHERE sequence = 1",), "digests of the first 5 records are missing"),
        (("UPDATE checkpoint SET note = 'x'",), "not a signed note"),
    ],
)
def test_a_ledger_that_its_checkpoints_do_not_confirm_is_evidence(
    ledger: Callable[..., LedgerOnDisk], statements: tuple[str, ...], said: str
) -> None:
    first = ledger(checkpoint_period_s=0.001)
    for number in range(5):
        first.record(number)
    first.store.close()
    forge(first, *statements)
    left = first.rows()
    second = ledger()
    assert second.record(9) == ""
    assert said in second.until(LedgerState.REFUSED)
    assert second.rows() == left


def test_the_file_refuses_every_change_by_accident(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger()
    one.record(0)
    one.store.close()
    with closing(sqlite3.connect(one.file)) as connection:
        for statement in (
            "DELETE FROM record",
            "UPDATE record SET body = x'00'",
            "UPDATE record SET sequence = 9, body = NULL",
            "DELETE FROM checkpoint",
            "UPDATE checkpoint SET note = 'x'",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


def test_old_bodies_go_and_the_ledger_says_so(ledger: Callable[..., LedgerOnDisk]) -> None:
    first = ledger(checkpoint_period_s=0.001)
    now_s = SystemClock().wall_s()
    for number in range(4):
        first.record(number, time_s=now_s - 300 * 86_400.0)
    first.record(4, time_s=now_s)
    first.store.close()
    second = ledger(retention=Retention(days=200), checkpoint_period_s=0.001)
    second.record(5, time_s=now_s)
    second.store.close()
    bodies = second.rows()
    assert bodies[:4] == [None] * 4
    said = [decode(body) for body in bodies if isinstance(body, bytes)]
    assert [(each.kind, each.facts.get("before")) for each in said if each.kind == "RECORDS_PRUNED"] == [
        ("RECORDS_PRUNED", 4)
    ]
    third = ledger(retention=Retention(days=200))
    third.record(6, time_s=now_s)
    third.store.close()
    assert third.rows("SELECT count(*) FROM record WHERE kind = 'RECORDS_PRUNED'") == [1]


def test_the_file_is_its_owners_alone(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger()
    one.record(0)
    assert oct(one.file.stat().st_mode & 0o777) == "0o600"
