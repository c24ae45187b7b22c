"""The ledger that a server writes: takes records from any thread, and commits them in groups from one of its own.

A record is acknowledged only after its commit has returned. Refuses to stop a server: whatever is wrong with the disk,
records are kept in bounded memory, the state says why, and writing goes on by itself when it can.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

from stepdown.adapters.ledger.clerk import CheckpointClerk
from stepdown.adapters.ledger.export import CheckpointFolder
from stepdown.adapters.ledger.journal import Entry, Journal
from stepdown.adapters.ledger.spool import Receipt, Spool, WhenDone
from stepdown.domain.records import Draft, LedgerError, LedgerState, LedgerStatus, LedgerUnavailableError
from stepdown.ledger.retention import Retention
from stepdown.ledger.signed_note import Signer
from stepdown.ports import Clock

GROUP = 1_000
"""How many records one commit takes at most."""
RETRY_S = 0.5
_PRUNE_PERIOD_S = 3600.0
_CLOSE_S = 10.0
_LAST_SIGNATURE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Where and how a ledger is kept. `name` is its checkpoints' origin; `export` is the second place for them.

    `signs_aside`: the signer may be slow or away, and records do not wait for it.
    """

    path: Path
    name: str
    signer: Signer
    signs_aside: bool = False
    export: Path | None = None
    checkpoint_period_s: float = 5.0
    spool_records: int = 50_000
    retention: Retention = field(default_factory=Retention)


class LedgerStore:
    """Meets `ports.Ledger`."""

    def __init__(
        self,
        options: StoreOptions,
        *,
        clock: Clock,
        moved: Callable[[LedgerState, str], None],
        on_error: Callable[[Exception], object],
    ) -> None:
        """Nothing is opened yet: `start` does, in the thread that writes.

        `moved` is told of each change of state, with why, and `on_error` of every exception of our own making; both
        must be quick and must not raise.
        """
        self._on_error = on_error
        self._options = options
        self._clock = clock
        self._moved = moved
        self._spool = Spool(capacity=options.spool_records)
        self._export = CheckpointFolder(path=options.export)
        self._clerk = CheckpointClerk(options.signer, done=self._spool.wake) if options.signs_aside else None
        self._journal: Journal | None = None
        self._in_doubt: tuple[int, bytes] | None = None
        self._state, self._detail = LedgerState.OPENING, ""
        self._size = self._checkpoint_size = 0
        self._uncovered_since_s: float | None = None
        self._checkpoint_due_s = self._prune_due_s = 0.0
        self._failing_until_s = 0.0
        self._commits, self._commit_total_s = 0, 0.0
        self._unrecorded = 0
        self._counting = Lock()
        self._thread = Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Open the ledger and write, in a thread of its own. What was handed over before is written too."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits, sign it, and end the thread."""
        self._spool.close()
        self._thread.join(timeout=_CLOSE_S)

    # --- Ledger ----------------------------------------------------------------------------------------------------

    def submit(self, draft: Draft, when_done: WhenDone | None = None) -> Receipt:
        """Hand over a record. Never waits."""
        return self._spool.put(draft, when_done)

    def count_unrecorded(self) -> None:
        """An answer left without a record."""
        with self._counting:
            self._unrecorded += 1

    def status(self) -> LedgerStatus:
        """The ledger now."""
        since_s = self._uncovered_since_s
        return LedgerStatus(
            name=self._options.name,
            state=self._state,
            detail=self._detail,
            size=self._size,
            waiting=len(self._spool),
            unrecorded=self._unrecorded,
            missed=self._spool.missed,
            checkpoint_size=self._checkpoint_size,
            checkpoint_lag_s=0.0 if since_s is None else max(0.0, self._clock.monotonic_s() - since_s),
            commits=self._commits,
            commit_total_s=self._commit_total_s,
            checkpoint_problem=self._clerk.problem if self._clerk is not None else "",
        )

    # --- drills ----------------------------------------------------------------------------------------------------

    def fail_as_full(self, duration_s: float) -> None:
        """For a drill: every commit fails as on a full disk, until then or until `recover`."""
        self._failing_until_s = self._clock.monotonic_s() + duration_s

    def recover(self) -> None:
        """Take the fault of a drill back."""
        self._failing_until_s = 0.0

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._spool.is_closed and not len(self._spool)):
            try:
                self._write_next(self._journal or self._open())
            except LedgerUnavailableError as error:
                self._fail(LedgerState.UNAVAILABLE, str(error))
            except LedgerError as error:
                self._fail(LedgerState.REFUSED, str(error))
            except (sqlite3.Error, OSError) as error:
                self._fail(LedgerState.UNAVAILABLE, f"{type(error).__name__}: {error}")
            except Exception as error:  # noqa: BLE001 - our own fault must not end the thread that acknowledges
                self._on_error(error)
                self._fail(LedgerState.UNAVAILABLE, "the writer failed; the log has the incident")
            if self._state is not LedgerState.WRITING:
                if self._spool.is_closed:
                    break
                self._spool.pause(RETRY_S)
        self._end()

    def _open(self) -> Journal:
        exported, problem = self._exported()
        journal = Journal(self._options.path, signer=self._options.signer, exported=exported)
        try:
            self._resolve_doubt(journal)
        except LedgerError:
            journal.close()
            raise
        self._journal = journal
        self._note_progress(journal)
        if not len(self._spool):
            self._recovered()  # else a commit has to show it
        if problem:
            self._move(self._state, problem)
        return journal

    def _exported(self) -> tuple[str | None, str]:
        """The checkpoint in the second place; or None, and why it cannot be compared with."""
        try:
            return self._export.newest(), ""
        except (OSError, UnicodeDecodeError) as error:
            return None, f"the exported checkpoint cannot be read: {type(error).__name__}"

    def _resolve_doubt(self, journal: Journal) -> None:
        """Whether the commit that failed was done after all. Raises: LedgerError when neither explains the size."""
        if self._in_doubt is not None:
            if journal.size == self._size:
                self._spool.give_back()
            elif (journal.size, journal.root) == self._in_doubt:
                self._spool.written()
            else:
                raise LedgerError(f"somebody else wrote to it: {self._size} records became {journal.size}")
            self._in_doubt = None

    def _write_next(self, journal: Journal) -> None:
        taken = self._spool.take(most=GROUP, wait_s=self._patience_s())
        time_s = self._clock.wall_s()
        entries = (*self._spool.untold(time_s=time_s), *(entry for entry, _ in taken))
        if entries or (self._clerk is None and self._is_checkpoint_due(journal.size)):
            note = self._commit(journal, entries, time_s=time_s)
            first = journal.size - len(taken)
            for sequence, (_, receipt) in enumerate(taken, start=first):
                if not receipt.is_done:
                    receipt.settle(f"{self._options.name}/{sequence}")
            if note is not None:
                self._checkpoint_due_s = self._clock.monotonic_s() + self._options.checkpoint_period_s
                self._put(note)
        if self._clerk is not None:
            self._sign_aside(self._clerk, journal, time_s=time_s)
        self._prune(journal, time_s=time_s)

    def _sign_aside(self, clerk: CheckpointClerk, journal: Journal, *, time_s: float) -> None:
        """Keep what was signed meanwhile; have signed what is due; say it when that fails."""
        was_busy, signed = clerk.is_busy, clerk.take()
        if was_busy and not clerk.is_busy:
            self._checkpoint_due_s = self._clock.monotonic_s() + self._options.checkpoint_period_s
        if signed is not None:
            journal.keep(signed.note, size=signed.size, time_s=time_s)
            self._note_progress(journal)
            self._put(signed.note)
        if clerk.problem and self._state is LedgerState.WRITING:
            self._move(LedgerState.WRITING, f"checkpoints are late: {clerk.problem}")
        if (
            not clerk.is_busy
            and self._is_checkpoint_due(journal.size)
            and not (clerk.problem and self._spool.is_closed)
        ):
            clerk.ask(journal.checkpoint)

    def _commit(self, journal: Journal, entries: Sequence[Entry], *, time_s: float) -> str | None:
        begun_s = self._clock.monotonic_s()
        if begun_s < self._failing_until_s:
            raise sqlite3.OperationalError("database or disk is full")
        is_due = self._clerk is None and self._is_checkpoint_due(journal.size + len(entries))
        note = journal.append(entries, time_s=time_s, is_checkpoint_due=is_due)
        now_s = self._clock.monotonic_s()
        self._commits, self._commit_total_s = self._commits + 1, self._commit_total_s + now_s - begun_s
        self._spool.written()
        self._note_progress(journal)
        self._recovered()
        return note

    def _recovered(self) -> None:
        self._spool.accept()
        if self._state is not LedgerState.WRITING:
            self._move(LedgerState.WRITING, "")

    def _put(self, note: str) -> None:
        """The second place may be away: the ledger itself goes on, and the state says so."""
        try:
            self._export.put(note)
        except OSError as error:
            self._move(LedgerState.WRITING, f"checkpoints are not exported: {type(error).__name__}: {error.strerror}")
        else:
            self._move(LedgerState.WRITING, "")

    def _prune(self, journal: Journal, *, time_s: float) -> None:
        before_s, now_s = self._options.retention.before_s(time_s), self._clock.monotonic_s()
        if before_s is not None and now_s >= self._prune_due_s:
            pruned = journal.prune(before_s=before_s, time_s=time_s)
            self._prune_due_s = now_s if pruned else now_s + _PRUNE_PERIOD_S
            self._note_progress(journal)

    def _is_checkpoint_due(self, size: int) -> bool:
        is_time = self._spool.is_closed or self._clock.monotonic_s() >= self._checkpoint_due_s
        return is_time and size > self._checkpoint_size

    def _patience_s(self) -> float:
        due_s = self._prune_due_s if self._options.retention.days else float("inf")
        if self._size > self._checkpoint_size and not (self._clerk is not None and self._clerk.is_busy):
            due_s = min(due_s, self._checkpoint_due_s)
        return max(0.0, min(due_s - self._clock.monotonic_s(), _PRUNE_PERIOD_S))

    def _note_progress(self, journal: Journal) -> None:
        self._size, self._checkpoint_size = journal.size, journal.checkpoint_size
        if self._size == self._checkpoint_size:
            self._uncovered_since_s = None
        elif self._uncovered_since_s is None:
            self._uncovered_since_s = self._clock.monotonic_s()

    def _fail(self, state: LedgerState, detail: str) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            self._in_doubt = (journal.size, journal.root)
            journal.close()
        self._spool.refuse()
        self._move(state, detail)

    def _end(self) -> None:
        if self._journal is not None:
            try:
                self._write_next(self._journal)
                self._await_clerk(self._journal)
            except (sqlite3.Error, OSError) as error:
                self._fail(LedgerState.UNAVAILABLE, f"{type(error).__name__}: {error}")
            else:
                self._journal.close()
        self._move(LedgerState.CLOSED, self._detail)

    def _await_clerk(self, journal: Journal) -> None:
        """The last checkpoint, if the signer gives it in time; else the next start has it signed."""
        end_s = self._clock.monotonic_s() + _LAST_SIGNATURE_S
        while self._clerk is not None and self._clerk.is_busy and self._clock.monotonic_s() < end_s:
            self._spool.rest(RETRY_S)
            self._sign_aside(self._clerk, journal, time_s=self._clock.wall_s())

    def _move(self, state: LedgerState, detail: str) -> None:
        if (state, detail) != (self._state, self._detail):
            self._state, self._detail = state, detail
            self._moved(state, detail)
