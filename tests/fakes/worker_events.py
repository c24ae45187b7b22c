"""What a pool told, kept so that a test can wait for it without knowing on which thread it came."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from stepdown.domain.engine_events import BatchFailed, Event, WorkerExited
from stepdown.domain.reasons import Reason

_Kind = TypeVar("_Kind")
PATIENCE_S = 90.0


class Told:
    """An event sink. `prompt` is called before each wait: a pool without threads delivers then."""

    def __init__(self) -> None:
        self.prompt: Callable[[], None] = lambda: None
        self.threads: set[threading.Thread] = set()
        self.calls: list[tuple[Event, ...]] = []
        self._queue: queue.Queue[Event] = queue.Queue()

    def __call__(self, events: Sequence[Event]) -> None:
        self.threads.add(threading.current_thread())
        self.calls.append(tuple(events))
        for event in events:
            self._queue.put(event)

    def next(self, kind: type[_Kind], *, timeout_s: float = PATIENCE_S) -> _Kind:
        """The next event, which must be of this kind."""
        self.prompt()
        event = self._queue.get(timeout=timeout_s)
        assert isinstance(event, kind), event
        return event

    def exit(self, *losing: int) -> WorkerExited:
        """The end of a worker. A process that takes a moment to die may be given up first, with the batches it owes."""
        lost = []
        while isinstance(event := self.next(object), BatchFailed):
            assert (event.reason, event.sticky) == (Reason.WORKER_LOST, True)
            lost.append(event.sequence)
        assert set(lost) <= set(losing)
        assert len(lost) == len(set(lost))
        assert isinstance(event, WorkerExited), event
        return event

    def both(self, kind: type[_Kind]) -> tuple[_Kind, _Kind]:
        """The next two events, which must be of this kind."""
        return self.next(kind), self.next(kind)

    def silent(self) -> bool:
        """Whether nothing more was told."""
        self.prompt()
        return self._queue.empty()
