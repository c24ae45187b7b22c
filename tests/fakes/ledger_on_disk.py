"""A ledger store on a real disk, with what it says of itself, for tests that hurt it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from stepdown.adapters.ledger.export import CHECKPOINT_FILE
from stepdown.adapters.ledger.store import LedgerStore, StoreOptions
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.records import Draft, LedgerState, RecordKind
from stepdown.ledger.encoding import decode
from tests.fakes.ledger_keys import note_signer

if TYPE_CHECKING:
    from stepdown.adapters.ledger.spool import Receipt

NAME = "hospital.example/ledger"
PATIENCE_S = 20.0


class LedgerOnDisk:
    """A store on disk, and what it says of itself."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.states: SimpleQueue[tuple[LedgerState, str]] = SimpleQueue()
        self.errors: list[Exception] = []
        self._settled: SimpleQueue[Receipt] = SimpleQueue()
        self.store = LedgerStore(
            StoreOptions(
                path=self.file,
                name=NAME,
                export=folder / "second-place",
                **{"signer": note_signer(NAME), **options},  # type: ignore[arg-type]
            ),
            clock=SystemClock(),
            moved=lambda state, detail: self.states.put((state, detail)),
            on_error=self.errors.append,
        )

    @property
    def file(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def exported(self) -> Path:
        return self.folder / "second-place" / CHECKPOINT_FILE

    def record(self, number: int = 0, *, time_s: float = 1_800_000_000.0) -> str:
        """Hand over one record and wait for what becomes of it."""
        draft = Draft(kind=RecordKind.ANSWER, time_s=time_s, facts={"number": number})
        receipt = self.store.submit(draft, self._settled.put)
        while not receipt.is_done:
            self._settled.get(timeout=PATIENCE_S)
        return receipt.record_id

    def until(self, wanted: LedgerState) -> str:
        """Wait for a state; what it says beside it."""
        state, detail = self.states.get(timeout=PATIENCE_S)
        while state is not wanted:
            state, detail = self.states.get(timeout=PATIENCE_S)
        return detail

    def rows(self, query: str = "SELECT body FROM record ORDER BY sequence") -> list[object]:
        with closing(sqlite3.connect(self.file)) as connection:
            return [row[0] for row in connection.execute(query)]

    def numbers(self) -> list[object]:
        return [decode(body).facts.get("number") for body in self.rows() if isinstance(body, bytes)]
