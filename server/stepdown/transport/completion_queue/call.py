"""One call on the queue: what is known of it, the operations that are under way for it, and what is due at its end.

Only the lane's thread touches it, but for `cancel`, `add_callback` and `remaining_s`. Refuses to outlive its last
operation.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from stepdown.domain.tiers import Urgency
from stepdown.transport.tracing import Trace

if TYPE_CHECKING:
    from stepdown.resilience.waiting_line import Waiting
    from stepdown.transport.calls import Call
    from stepdown.transport.stepwise import StepwiseAnswer

# gRPC gives a caller that set no deadline one that is centuries away.
_NO_DEADLINE_S = 10 * 365 * 86_400.0
_OK = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What gRPC's core says of a new call: its handle, method, metadata, and when it has to be answered."""

    rpc: Any
    method: str
    metadata: tuple[tuple[str, str | bytes], ...]
    deadline_s: float | None


def arrived(event: Any, method: str, *, now_s: float) -> Arrived:  # noqa: ANN401  # the extension module has no types
    """From the core's event. gRPC tells the deadline in Unix time; it is kept on the monotonic time line."""
    remaining_s = event.call_details.deadline - time.time()
    return Arrived(
        rpc=event.call,
        method=method,
        metadata=event.invocation_metadata,
        deadline_s=None if remaining_s > _NO_DEADLINE_S else now_s + remaining_s,
    )


class LaneCall:
    """One call, from its arrival to its end."""

    __slots__ = (
        "_callbacks",
        "_due",
        "_ended",
        "_lock",
        "answer",
        "arrival",
        "caller",
        "came_s",
        "declared",
        "is_awaited",
        "is_settled",
        "message",
        "request",
        "size",
        "trace",
        "urgency",
        "waiting",
    )

    def __init__(self, arrival: Arrived, *, trace: Trace, came_s: float) -> None:
        self.arrival = arrival
        self.trace = trace
        self.came_s = came_s
        self.caller: Call | None = None
        self.urgency = Urgency.ROUTINE
        self.declared = False
        self.message = b""
        self.size = 0
        self.request: Any = None
        self.waiting: Waiting[LaneCall] | None = None
        self.answer: StepwiseAnswer | None = None
        self.is_settled = False
        self.is_awaited = False
        self._due = 0
        self._ended = False
        self._lock = Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def method(self) -> str:
        """The full path of its method."""
        return self.arrival.method

    @property
    def name(self) -> str:
        """Who calls; empty before that is known."""
        return self.caller.caller.name if self.caller is not None else ""

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way for it any more, or it was cut off."""
        return self._ended

    def remaining_s(self, now_s: float) -> float | None:
        """Seconds until its deadline, None if it has none."""
        return None if self.arrival.deadline_s is None else max(0.0, self.arrival.deadline_s - now_s)

    def start(self, operations: Sequence[object], done: Callable[[Any], None] | None = None) -> None:
        """Have the core do this; `done` is told of it by the lane's thread."""
        self._due += 1
        if self.arrival.rpc.start_server_batch(operations, partial(self._done, done)) not in {_OK, None}:
            self._less()  # the core takes nothing more for this call

    def wake(self, tag: Callable[[Any], None]) -> bool:
        """Put an event on the queue that carries nothing but the tag. Any thread may; False where it is too late."""
        with self._lock:
            if not self._ended:
                self.arrival.rpc.start_server_batch((), tag)
            return not self._ended

    def cancel(self) -> None:
        """Cut it off. Any thread may."""
        self.arrival.rpc.cancel()

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call this when it has ended. False, and it is not called, if it has."""
        with self._lock:
            if self._ended:
                return False
            self._callbacks.append(callback)
            return True

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call this when it has ended, now if it has."""
        if not self.add_callback(callback):
            callback()

    def _done(self, done: Callable[[Any], None] | None, event: Any) -> None:  # noqa: ANN401
        try:
            if done is not None:
                done(event)
        finally:
            self._less()

    def _less(self) -> None:
        self._due -= 1
        if self._due == 0:
            with self._lock:
                self._ended = True
                callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()
