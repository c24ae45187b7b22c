"""Counts what was accepted and not yet delivered, so that a drain can wait for exactly that and lose nothing.

Streams that merely stay open are counted apart: they may hold a drain up for a moment only. Refuses to end anything.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class InFlight:
    """A count that can be waited on until it is zero."""

    def __init__(self) -> None:
        self._idle = threading.Condition()
        self._count = 0
        self._entered = 0

    def enter(self) -> None:
        """One more."""
        with self._idle:
            self._count += 1
            self._entered += 1

    def leave(self) -> None:
        """One less."""
        with self._idle:
            self._count -= 1
            if self._count == 0:
                self._idle.notify_all()

    @property
    def count(self) -> int:
        """How many there are now."""
        return self._count

    @property
    def entered(self) -> int:
        """How many there ever were."""
        return self._entered

    def wait_until_idle(self, timeout_s: float) -> int:
        """Wait for zero, at most so long. Returns what is left."""
        with self._idle:
            self._idle.wait_for(lambda: self._count == 0, timeout_s)
            return self._count


class _Arrival(threading.local):
    """How long the call that this thread works on was queued."""

    waited_s: float = 0.0


class CallPool(ThreadPoolExecutor):
    """The threads of unary calls. A call counts from the moment it is queued; `queued` are those without a thread."""

    def __init__(self, *, threads: int, in_flight: InFlight, now_s: Callable[[], float]) -> None:
        super().__init__(max_workers=threads, thread_name_prefix="call")
        self._in_flight = in_flight
        self._threads_allowed = threads
        self._queued = InFlight()
        self._running = InFlight()
        self._now_s = now_s
        self._arrival = _Arrival()

    @property
    def queued(self) -> int:
        """How many calls wait for a thread."""
        return self._queued.count

    def waited_s(self) -> float:
        """How long the call that this thread works on waited for it."""
        return self._arrival.waited_s

    @property
    def held(self) -> int:
        """How many calls wait for a thread or have one."""
        return self._queued.count + self._running.count

    @property
    def is_full(self) -> bool:
        """Whether calls wait because every thread has one.

        That some are queued says less: on a busy machine each call waits a moment until a free thread wakes up.
        """
        return self._queued.count > 0 and self._running.count >= self._threads_allowed

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Queue a call, counted until its function has returned."""
        self._in_flight.enter()
        self._queued.enter()
        queued_s = self._now_s()

        def run() -> Result:
            self._queued.leave()
            self._running.enter()
            self._arrival.waited_s = self._now_s() - queued_s
            try:
                return fn(*args, **kwargs)
            finally:
                self._running.leave()

        try:
            future = super().submit(run)
        except BaseException:
            self._queued.leave()
            self._in_flight.leave()
            raise
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: "Future[Any]") -> None:
        if future.cancelled():
            self._queued.leave()
        self._in_flight.leave()
