"""The lane: a queue of the public server's core, and the one thread that drains it.

Each turn takes every event that is ready, goes on with what has arrived, begins calls for a few milliseconds, and asks
the chain once for all of them. While nothing is to be done the thread sleeps in the core. Refuses to die of a call.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from stepdown.ports import Clock
from stepdown.transport.completion_queue.call import LaneCall
from stepdown.transport.completion_queue.door import Door
from stepdown.transport.completion_queue.queue import CallQueue
from stepdown.transport.completion_queue.surface import core_of, cygrpc
from stepdown.transport.completion_queue.work import Work

_ACCEPTS = 64
_EVENTS_PER_TURN = 512
# The core waits by the wall clock: so short a wait is not prolonged by a clock that is set back.
_LONGEST_SLEEP_S = 0.2
_AT_ONCE = 0.0
_CLOSING_S = 5.0


class Lane:
    """One queue and its thread. `prepare` before the server starts, `start` after it, `close` after it has stopped."""

    def __init__(
        self, *, door: Door, work: Work, queue: CallQueue, clock: Clock, incident: Callable[[BaseException], object]
    ) -> None:
        self._door = door
        self._work = work
        self._queue = queue
        self._clock = clock
        self._incident = incident
        self._events = cygrpc.CompletionQueue()
        self._server: Any = None
        self._accepting = 0
        self._asleep = False
        self._closing = False
        self._is_over = False
        self._busy_since_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="lane", daemon=True)

    def prepare(self, server: grpc.Server) -> None:
        """Add the queue to the core of a public server."""
        self._server = core_of(server)
        self._server.register_completion_queue(self._events)

    def register(self, method: str) -> None:
        """Have the calls of a method come here."""
        self._server.register_method(method)

    def start(self, methods: tuple[str, ...]) -> None:
        """Take calls of these methods from now on."""
        for method in methods:
            for _ in range(_ACCEPTS):
                self._accept(method)
        self._thread.start()

    def close(self) -> None:
        """Wait for the last call to end; the server must have been stopped."""
        self._closing = True
        if self._thread.is_alive():
            self._thread.join(_CLOSING_S)

    def wake(self, call: LaneCall) -> None:
        """Something has arrived for a call. Any thread may."""
        if self._asleep and call.wake(_awake):
            self._asleep = False

    def _run(self) -> None:
        while not self._is_over:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001  # a fault of ours must not end the service of everybody
                self._incident(error)

    def _turn(self) -> None:
        self._take_events()
        if self._closing and not self._accepting and not self._door.open:
            self._events.shutdown()
        begun_s = self._work.go_on()
        now_s = self._clock.monotonic_s()
        if self._busy_since_s is not None:
            self._queue.costs.worked(elapsed_s=now_s - self._busy_since_s, begun_s=begun_s)
            self._queue.adjust()
        self._busy_since_s = now_s

    def _take_events(self) -> None:
        """Everything that is ready; sleeps for the first if there is nothing else to do."""
        poll, deadline_s = self._events.poll, _AT_ONCE
        self._asleep = True
        if not self._work.is_due:
            deadline_s = time.time() + self._work.wait_s(_LONGEST_SLEEP_S)
            self._busy_since_s = None
        for _ in range(_EVENTS_PER_TURN):
            event = poll(deadline_s)
            self._asleep = False
            kind = event.completion_type
            if kind == cygrpc.CompletionType.queue_timeout:
                return
            if kind == cygrpc.CompletionType.queue_shutdown:
                self._is_over = True
                return
            if self._busy_since_s is None:
                self._busy_since_s = self._clock.monotonic_s()
            deadline_s = _AT_ONCE
            self._take(event)

    def _take(self, event: Any) -> None:  # noqa: ANN401  # the extension module has no types
        try:
            event.tag(event)
        except Exception as error:  # noqa: BLE001
            self._incident(error)

    def _accept(self, method: str) -> None:
        self._accepting += 1
        self._server.request_registered_call(self._events, self._events, method, partial(self._came, method))

    def _came(self, method: str, event: Any) -> None:  # noqa: ANN401
        self._accepting -= 1
        if not event.success:
            return  # the server is stopping
        self._accept(method)
        self._door.came(event, method)


def _awake(event: Any) -> None:  # noqa: ANN401
    """The event has done its work by coming."""
    del event
