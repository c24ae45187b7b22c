"""Killed in every phase, on real disks: what was acknowledged is there, what is there is whole, and writing goes on."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.adapters.ledger.export import CHECKPOINT_FILE
from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.domain.records import LedgerState
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.verification import verify_copy
from tests.architecture.source_tree import ROOT
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk

PHASES = ("BEGIN", "INSERT INTO record", "INSERT INTO checkpoint", "COMMIT", "export", "replace")


def killed(folder: Path, phase: str, *, count: int, after_lines: int | None = None) -> list[str]:
    """What a writer had acknowledged when it died."""
    command = [sys.executable, "-m", "tests.faults.ledger_writer", str(folder), phase, str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = []
        for line in writer.stdout:
            lines.append(line.strip())
            if len(lines) == after_lines:
                writer.kill()
        assert writer.wait(timeout=60) == -signal.SIGKILL
    assert lines
    return lines


def require_whole(folder: Path, acknowledged: list[str]) -> int:
    """Every acknowledged record is there, and the ledger is what its own and the exported checkpoints say."""
    reader = LedgerReader(folder / "ledger.db")
    exported = folder / "second-place" / CHECKPOINT_FILE
    notes = [*(note for _, note in reader.checkpoints()), exported.read_text()]
    verdict = verify_copy(reader.rows(), [verify_checkpoint(note, note_signer(NAME).key, is_signed) for note in notes])
    assert verdict.findings == ()
    assert [line for line in acknowledged if not line] == []
    assert verdict.size > max(int(line.rpartition("/")[2]) for line in acknowledged)
    return verdict.size


def require_going_on(folder: Path, size: int) -> None:
    one = LedgerOnDisk(folder)
    one.store.start()
    assert one.record(0) == f"{NAME}/{size}"
    one.store.close()
    assert one.store.status().state is LedgerState.CLOSED


@pytest.mark.parametrize("phase", PHASES)
def test_a_writer_killed_in_any_phase_loses_nothing_that_it_acknowledged(tmp_path: Path, phase: str) -> None:
    acknowledged = killed(tmp_path, phase, count=5)
    require_going_on(tmp_path, require_whole(tmp_path, acknowledged))


def test_a_writer_killed_again_and_again_at_any_moment_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(4):
        acknowledged += killed(tmp_path, "never", count=0, after_lines=chance.randrange(20, 300))
        require_whole(tmp_path, acknowledged)
    assert len(set(acknowledged)) == len(acknowledged)


def test_a_torn_tail_is_never_taken_for_a_record(tmp_path: Path) -> None:
    """SQLite's log cut at any byte: what is left are whole commits, or a ledger that says that it was cut."""
    killed(tmp_path / "whole", "never", count=0, after_lines=60)
    log = (tmp_path / "whole" / "ledger.db-wal").read_bytes()
    assert log
    for number, cut in enumerate(range(0, len(log), len(log) // 5 + 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "ledger.db").write_bytes((tmp_path / "whole" / "ledger.db").read_bytes())
        (folder / "ledger.db-wal").write_bytes(log[:cut])
        one = LedgerOnDisk(folder)
        one.store.start()
        assert one.record(0) != ""
        one.store.close()
        reader = LedgerReader(folder / "ledger.db", is_copy=True)
        signed = [verify_checkpoint(note, note_signer(NAME).key, is_signed) for _, note in reader.checkpoints()]
        assert verify_copy(reader.rows(), signed).findings == ()
