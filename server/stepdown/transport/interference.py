"""Answers that a drill holds back from one client, as a bad network would. Refuses to hold anybody else's.

A held answer holds a thread. So only so many are held at once; what comes beyond that is cut off as by a connection
that breaks, and every other client still finds a thread.
"""

import threading
from dataclasses import dataclass, field

import grpc

from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault
from stepdown.domain.reasons import RejectReason
from stepdown.transport.refusals import refused

_HELD_SHARE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hold:
    """What ails a client's answers, and who waits for it to end."""

    injection: FaultInjection
    waiting: set[threading.Event] = field(default_factory=set)


class Interference:
    """Meets `ports.Sufferer`. Costs a look into an empty table where no drill is on."""

    def __init__(self, *, threads: int) -> None:
        """`threads`: how many answer calls. A quarter of them may hold answers."""
        self._places = threading.BoundedSemaphore(max(1, threads // _HELD_SHARE))
        self._lock = threading.Lock()
        self._holds: dict[str, _Hold] = {}

    def begin(self, injection: FaultInjection) -> None:
        """Hold the answers to this client from now on. Raises: DrillRefusedError if they are held already."""
        with self._lock:
            if injection.client in self._holds:
                raise DrillRefusedError("the answers to this client are held back already")
            self._holds[injection.client] = _Hold(injection=injection)

    def end(self, injection: FaultInjection) -> None:
        """Let go of them, those that are held included."""
        with self._lock:
            hold = self._holds.pop(injection.client, None)
            for waiting in hold.waiting if hold is not None else ():
                waiting.set()

    def holds(self, client: str) -> bool:
        """Whether answers to this client are held back now."""
        return client in self._holds

    def hold(self, client: str, context: grpc.ServicerContext) -> None:
        """Return when an answer to this client may leave. Raises: RequestRejectedError for one that is cut off."""
        if client not in self._holds:
            return
        if not self._places.acquire(blocking=False):
            raise _cut_off()
        try:
            self._wait(client, context)
        finally:
            self._places.release()

    def _wait(self, client: str, context: grpc.ServicerContext) -> None:
        waiting = threading.Event()
        with self._lock:
            hold = self._holds.get(client)
            if hold is None:
                return
            hold.waiting.add(waiting)
        # A caller who leaves frees the thread.
        if context.add_callback(waiting.set):
            delayed = hold.injection.fault is InjectableFault.NETWORK_DELAY
            waiting.wait(hold.injection.delay_s if delayed else hold.injection.duration_s)
        with self._lock:
            hold.waiting.discard(waiting)


def _cut_off() -> Exception:
    text = "a drill cuts this client off"
    return refused(RejectReason.CLIENT_CUT_OFF, field="", description=text)
