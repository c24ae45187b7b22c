"""Brings notices to observers from a thread of its own, so that a slow one never holds up an answer.

Refuses to wait and to grow: what an observer does not take in time is dropped, oldest first, and counted.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread

from stepdown.domain.notices import ActivationMoved, CapabilityChanged, Notice, TierMoved
from stepdown.ports import Observer


class NoticeBoard:
    """A bounded queue of notices. `dropped` counts those that were lost because it was full."""

    def __init__(
        self, *, observers: Sequence[Observer], on_error: Callable[[Exception], object], capacity: int = 100_000
    ) -> None:
        """`on_error` is told when an observer raises, which it must not; `capacity` bounds the notices waiting."""
        self._capacity = capacity
        self._observers = tuple(observers)
        self._on_error = on_error
        self._listeners: list[Callable[[], None]] = []
        self._waiting: deque[Notice] = deque(maxlen=capacity)
        self._condition = Condition()
        self._closed = False
        self.dropped = 0
        self._thread = Thread(target=self._run, name="notice-board", daemon=True)
        self._thread.start()

    def post(self, notices: Sequence[Notice]) -> None:
        """Queue notices in order. Never blocks on an observer."""
        with self._condition:
            self.dropped += max(len(self._waiting) + len(notices) - self._capacity, 0)
            self._waiting.extend(notices)
            self._condition.notify()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change of a tier, an activation or a capability; returns the way to stop."""
        with self._condition:
            self._listeners.append(listener)

        def stop() -> None:
            with self._condition:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def close(self) -> None:
        """Deliver what waits, then end the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._closed:
                    self._condition.wait()
                notices = tuple(self._waiting)
                self._waiting.clear()
                listeners = tuple(self._listeners)
                if not notices:
                    return
            self._deliver(notices, listeners)

    def _deliver(self, notices: tuple[Notice, ...], listeners: tuple[Callable[[], None], ...]) -> None:
        for notice in notices:
            for observer in self._observers:
                self._guarded(lambda observer=observer, notice=notice: observer.notice(notice))  # type: ignore[misc]
        if any(isinstance(notice, TierMoved | CapabilityChanged | ActivationMoved) for notice in notices):
            for listener in listeners:
                self._guarded(listener)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - an observer must not end the others
            self._on_error(error)
