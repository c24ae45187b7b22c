"""Counts what was accepted and not yet delivered, so that a drain can wait for exactly that and lose nothing.

Streams that merely stay open are counted apart: they may hold a drain up for a moment only. Refuses to end anything.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class InFlight:
    """A count that can be waited on until it is zero."""

    def __init__(self) -> None:
        self._idle = threading.Condition()
        self._count = 0

    def enter(self) -> None:
        """One more."""
        with self._idle:
            self._count += 1

    def leave(self) -> None:
        """One less."""
        with self._idle:
            self._count -= 1
            if self._count == 0:
                self._idle.notify_all()

    def wait_until_idle(self, timeout_s: float) -> int:
        """Wait for zero, at most so long. Returns what is left."""
        with self._idle:
            self._idle.wait_for(lambda: self._count == 0, timeout_s)
            return self._count


class CallPool(ThreadPoolExecutor):
    """The threads that answer unary calls. A call counts from the moment it is queued."""

    def __init__(self, *, threads: int, in_flight: InFlight) -> None:
        super().__init__(max_workers=threads, thread_name_prefix="call")
        self._in_flight = in_flight

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Queue a call, counted until its function has returned."""
        self._in_flight.enter()
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._in_flight.leave()
            raise
        future.add_done_callback(lambda _: self._in_flight.leave())
        return future
