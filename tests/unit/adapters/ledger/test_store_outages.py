import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from stepdown.domain.records import LedgerState, RecordKind
from stepdown.ledger.encoding import decode
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk


def test_records_on_a_full_disk_are_kept_and_written_when_there_is_room(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger()
    one.record(0)
    one.store.fail_as_full(600.0)
    assert one.record(1) == ""
    assert one.until(LedgerState.UNAVAILABLE) == "OperationalError: database or disk is full"
    assert one.record(2) == ""
    one.store.count_unrecorded()
    assert (one.store.status().waiting, one.store.status().unrecorded) == (2, 1)
    one.store.recover()
    one.until(LedgerState.WRITING)
    assert one.record(3) == f"{NAME}/3"
    assert one.numbers() == [0, 1, 2, 3]


def test_a_disk_that_is_really_full_is_outlived(ledger: Callable[..., LedgerOnDisk]) -> None:
    """SQLite's own limit of pages stands for the disk's."""
    one = ledger()
    one.record(0)
    journal = one.store._journal  # noqa: SLF001 - the connection that the limit belongs to
    assert journal is not None
    journal._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001
    assert [one.record(number) for number in range(1, 200)].count("") > 0
    assert "full" in one.until(LedgerState.UNAVAILABLE)
    one.until(LedgerState.WRITING)
    assert one.record(200).endswith("/200")
    assert one.numbers() == list(range(201))


def test_what_memory_could_not_hold_is_counted_on_the_ledger_itself(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger(spool_records=2)
    one.record(0)
    one.store.fail_as_full(600.0)
    for number in range(1, 6):
        assert one.record(number, time_s=1_800_000_000.0 + number) == ""
    assert (one.store.status().missed, one.store.status().waiting) == (3, 2)
    one.store.recover()
    one.until(LedgerState.UNAVAILABLE)
    one.until(LedgerState.WRITING)
    one.record(6)
    bodies = [decode(body) for body in one.rows() if isinstance(body, bytes)]
    (missed,) = [body for body in bodies if body.kind == RecordKind.RECORDS_MISSED]
    assert missed.facts == {"count": 3, "since_us": 1_800_000_003_000_000}
    assert [body.facts.get("number") for body in bodies if body.kind == RecordKind.ANSWER] == [0, 1, 2, 6]


def test_a_ledger_that_another_writes_is_waited_for(ledger: Callable[..., LedgerOnDisk]) -> None:
    first = ledger()
    first.record(0)
    second = ledger()
    assert "another process writes ledger.db" in second.until(LedgerState.UNAVAILABLE)
    assert second.record(1) == ""
    first.store.close()
    second.until(LedgerState.WRITING)
    assert second.numbers() == [0, 1]


def test_a_locked_file_is_outlived(ledger: Callable[..., LedgerOnDisk]) -> None:
    one = ledger()
    one.record(0)
    with closing(sqlite3.connect(one.file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert one.record(1) == ""
        assert "locked" in one.until(LedgerState.UNAVAILABLE)
        holder.execute("ROLLBACK")
    one.until(LedgerState.WRITING)
    assert one.numbers() == [0, 1]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, ledger: Callable[..., LedgerOnDisk]) -> None:
    (tmp_path / "ledger.db").mkdir()
    one = ledger()
    assert one.record(0) == ""
    assert "IsADirectoryError" in one.until(LedgerState.UNAVAILABLE)


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path, ledger: Callable[..., LedgerOnDisk]) -> None:
    other = sqlite3.connect(tmp_path / "ledger.db")
    other.execute("CREATE TABLE mine (a)")
    other.commit()
    other.close()
    one = ledger()
    assert one.record(0) == ""
    assert "is not a ledger" in one.until(LedgerState.REFUSED)
    assert one.rows("SELECT name FROM sqlite_schema") == ["mine"]


def test_a_broken_file_costs_no_more_than_the_records(tmp_path: Path, ledger: Callable[..., LedgerOnDisk]) -> None:
    (tmp_path / "ledger.db").write_bytes(b"nothing that SQLite knows" * 1_000)
    one = ledger()
    assert one.record(0) == ""
    assert "DatabaseError" in one.until(LedgerState.UNAVAILABLE)
    one.store.close()
    assert one.store.status().state is LedgerState.CLOSED


def test_a_second_place_that_is_away_is_said_and_stops_nothing(
    tmp_path: Path, ledger: Callable[..., LedgerOnDisk]
) -> None:
    place = tmp_path / "second-place"
    place.write_text("a file where the folder should be")
    one = ledger(checkpoint_period_s=0.001)
    assert one.until(LedgerState.WRITING) in {"", "the exported checkpoint cannot be read: NotADirectoryError"}
    assert one.record(0) == f"{NAME}/0"
    said = one.until(LedgerState.WRITING)
    while not said.startswith("checkpoints are not exported: FileExistsError"):
        said = one.until(LedgerState.WRITING)
    place.unlink()
    one.record(1)
    while one.until(LedgerState.WRITING):
        one.record(2)
    assert one.exported.is_file()


def test_a_fault_of_our_own_is_put_on_record_and_the_ledger_goes_on(tmp_path: Path) -> None:
    one = LedgerOnDisk(tmp_path)
    failing = iter((RuntimeError("a defect"),))

    def put(note: str) -> None:
        for error in failing:
            raise error
        del note

    object.__setattr__(one.store, "_put", put)
    one.store.start()
    assert one.record(0) == f"{NAME}/0"
    assert "the writer failed" in one.until(LedgerState.UNAVAILABLE)
    one.until(LedgerState.WRITING)
    assert one.record(1) == f"{NAME}/1"
    one.store.close()
    assert [str(error) for error in one.errors] == ["a defect"]
    assert one.numbers() == [0, 1]
