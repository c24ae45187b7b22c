"""One thread that listens to every worker: doorbells, deaths, error streams, deadlines.

Whatever is found in one wake-up goes to the sink in one call. Descriptors are watched level-triggered, and every
listener must bear being called for nothing: a number may have been reused within a wake-up. Refuses to end because a
listener or the sink raised: it says so and goes on.
"""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from stepdown.domain.engine_events import Event
from stepdown.ports import EventSink

Listener: TypeAlias = Callable[[], None]

_POLL_RESOLUTION_S = 1e-3


class ListeningLoop:
    """`call_soon` may be used from any thread, everything else from the loop's own."""

    def __init__(self, sink: EventSink, log: Callable[[str], None]) -> None:
        """A loop that is not running yet."""
        self._sink = sink
        self._log = log
        self._poll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._posted: deque[Listener] = deque()
        self._listeners: dict[int, Listener] = {}
        self._deadlines: dict[object, tuple[float, Listener]] = {}
        self._events: list[Event] = []
        self._running = True
        self._lock = threading.Lock()
        self.watch(self._wake, self._run_posted)

    def call_soon(self, listener: Listener) -> None:
        """Have the loop's thread call this; after the loop has ended, nothing happens."""
        self._posted.append(listener)
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def watch(self, descriptor: int, listener: Listener) -> None:
        """Call the listener whenever the descriptor can be read or was closed at the other end."""
        self._listeners[descriptor] = listener
        self._poll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Stop; before the descriptor is closed. Unknown ones are ignored."""
        if self._listeners.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def call_in(self, delay_s: float, listener: Listener, *, key: object) -> None:
        """Call the listener once, later. One deadline per key: a new one replaces it."""
        self._deadlines[key] = (time.monotonic() + delay_s, listener)

    def cancel(self, key: object) -> None:
        """Forget a deadline, if there is one."""
        self._deadlines.pop(key, None)

    def emit(self, event: Event) -> None:
        """Pass the event on at the end of this wake-up."""
        self._events.append(event)

    def stop(self) -> None:
        """End after this wake-up."""
        self._running = False

    def run(self) -> None:
        """Listen until stopped; then close what the loop itself holds."""
        try:
            while self._running:
                for descriptor, _ in self._poll.poll(self._timeout_s()):
                    self._hear(descriptor)
                self._run_due()
                self._deliver()
        finally:
            self._close()

    def _hear(self, descriptor: int) -> None:
        # A method of its own: a local of `run` would keep the last worker's memory alive until the next wake-up.
        listener = self._listeners.get(descriptor)
        if listener is not None:
            self._call(listener)

    def _timeout_s(self) -> float | None:
        if not self._deadlines:
            return None
        earliest_s = min(due_s for due_s, _ in self._deadlines.values())
        # epoll counts in whole milliseconds and would wake up a little early.
        return max(0.0, earliest_s - time.monotonic() + _POLL_RESOLUTION_S)

    def _run_due(self) -> None:
        if self._deadlines:
            now_s = time.monotonic()
            for key in [key for key, (due_s, _) in self._deadlines.items() if due_s <= now_s]:
                self._call(self._deadlines.pop(key)[1])

    def _run_posted(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        for _ in range(len(self._posted)):
            self._call(self._posted.popleft())

    def _deliver(self) -> None:
        if self._events:
            events, self._events = self._events, []
            self._call(lambda: self._sink(events))

    def _call(self, listener: Listener) -> None:
        try:
            listener()
        except Exception as error:  # noqa: BLE001 - one worker's oddity must not deafen the server to the others
            self._log(f"worker pool: {type(error).__name__} while listening: {error}")

    def _close(self) -> None:
        with self._lock:
            os.close(self._wake)
            self._wake = -1
        self._poll.close()
        self._listeners.clear()
