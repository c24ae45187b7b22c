"""Has checkpoints signed by a key that may be slow, hang or be away, in a thread of its own.

What is signed is what was committed when it was asked for; records go on being written meanwhile. Refuses to hurry a
signer: while one signature is under way no other is asked for, and a failure only says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from stepdown.domain.errors import StepdownError
from stepdown.ledger.checkpoint import Checkpoint, sign_checkpoint
from stepdown.ledger.signed_note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint and its signed note."""

    size: int
    note: str


class CheckpointClerk:
    """Used by one thread, beside its own. `problem` says why the last try failed; empty when it did not."""

    def __init__(self, signer: Signer, *, done: Callable[[], None]) -> None:
        """`done` is told, on the clerk's thread, whenever a try has ended; it must be quick."""
        self._signer = signer
        self._done = done
        self._asked: SimpleQueue[Checkpoint] = SimpleQueue()
        self._answers: SimpleQueue[SignedCheckpoint | str] = SimpleQueue()
        self._thread: Thread | None = None
        self.is_busy = False
        self.problem = ""

    def ask(self, checkpoint: Checkpoint) -> None:
        """Begin to have it signed; returns at once."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="checkpoint-clerk", daemon=True)
            self._thread.start()
        self.is_busy = True
        self._asked.put(checkpoint)

    def take(self) -> SignedCheckpoint | None:
        """What was signed since the last call; None also after a try that failed."""
        if self._answers.empty():
            return None
        answer = self._answers.get()
        self.is_busy = False
        self.problem = answer if isinstance(answer, str) else ""
        return None if isinstance(answer, str) else answer

    def _run(self) -> None:
        while True:
            checkpoint = self._asked.get()
            try:
                note = sign_checkpoint(checkpoint, self._signer)
            except (StepdownError, OSError) as error:
                self._answers.put(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try must be possible
                self._answers.put(type(error).__name__)
            else:
                self._answers.put(SignedCheckpoint(size=checkpoint.size, note=note))
            self._done()
