"""Writes a ledger until it is killed: `python -m tests.faults.ledger_writer FOLDER PHASE COUNT`.

Prints each acknowledged record id on a line of its own. PHASE is where it kills itself (SIGKILL), after COUNT records:
a beginning of the SQL that SQLite is about to run, `export` before a checkpoint is put into its second place, `replace`
in the middle of that, or `never`.
"""

import os
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from stepdown.adapters.ledger import export
from stepdown.adapters.ledger.journal import Journal
from stepdown.adapters.ledger.store import LedgerStore, StoreOptions
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.records import Draft, RecordKind
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME

if TYPE_CHECKING:
    from stepdown.adapters.ledger.spool import Receipt

_GROUP = 7


def die(*_: object) -> None:
    """As power does."""
    os.kill(os.getpid(), signal.SIGKILL)


def half_written(path: Path, content: bytes, *, mode: int) -> None:
    """Die between the first and the last byte."""
    del mode
    path.with_name(f"{path.name}.new").write_bytes(content[:9])
    die()


def main(folder: Path, phase: str, count: int) -> None:
    """Write for ever."""
    options = StoreOptions(
        path=folder / "ledger.db",
        name=NAME,
        signer=note_signer(NAME),
        export=folder / "second-place",
        checkpoint_period_s=0.001,
    )
    store = LedgerStore(options, clock=SystemClock(), moved=lambda *_: None, on_error=lambda _: None)
    store.start()
    acknowledged: SimpleQueue[Receipt] = SimpleQueue()
    for number in range(1_000_000):
        if number == count:
            _arm(store, phase)
        for _ in range(_GROUP):
            store.submit(Draft(kind=RecordKind.ANSWER, time_s=0.0, facts={"number": number}), acknowledged.put)
        for _ in range(_GROUP):
            os.write(1, f"{acknowledged.get(timeout=60).record_id}\n".encode())


def _arm(store: LedgerStore, phase: str) -> None:
    journal = store._journal  # noqa: SLF001 - where the phases are
    if phase == "export":
        object.__setattr__(store, "_put", die)
    elif phase == "replace":
        vars(export)["replace_file"] = half_written
    elif isinstance(journal, Journal) and phase != "never":
        trace = journal._connection.set_trace_callback  # noqa: SLF001
        trace(lambda sql: die() if sql.startswith(phase) else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
