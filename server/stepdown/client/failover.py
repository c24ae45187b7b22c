"""One call, sent to one server after another until one answers or the caller's time is over.

Refuses to send a request twice that has no `request_id`: the id is what lets a server recognise it, and answer the
second as it answered the first.
"""

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from google.protobuf.message import Message

from stepdown.client.failures import AssessmentError
from stepdown.client.retries import mends_elsewhere, pause_s
from stepdown.client.servers import Server, Servers
from stepdown.client.urgency import urgency_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc  # its class is generic in its stubs alone

Answer = TypeVar("Answer", bound=Message)
Method: TypeAlias = "Callable[[Server], grpc.UnaryUnaryMultiCallable[Any, Any]]"

ROUNDS = 4
"""How often all servers are asked before their failure is the answer."""
_FIRST_PAUSE_S = 0.02


class Failover(Generic[Answer]):
    """One question on its way."""

    def __init__(
        self,
        servers: Servers,
        method: Method,
        request: Message,
        *,
        timeout_s: float,
        repeatable: bool,
    ) -> None:
        """`repeatable`: the request may be sent again, because every part of it has an id."""
        self._servers = servers
        self._method = method
        self._request = request
        self._until_s = time.monotonic() + timeout_s
        self._repeatable = repeatable
        self._untried: list[Server] = []
        self._under_way: dict[Any, tuple[Server, float]] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._rounds = 0

    def answer(self) -> Answer:
        """The first answer. Raises AssessmentError: the last failure, when no server is left or time is over."""
        try:
            self._send(self._next_round())
            while True:
                call = self._next_ended()
                server, _ = self._under_way.pop(call)
                failure = self._settled(call, server)
                if failure is None:
                    result: Answer = call.result()
                    return result
                self._go_on(failure)
        finally:
            for call in self._under_way:
                call.cancel()

    def _next_ended(self) -> Any:  # noqa: ANN401  # gRPC's call is both a Call and a Future, which its types cannot say
        """Wait for one to end; meanwhile ask another server where the one asked seems to have stopped."""
        while True:
            try:
                return self._ended.get(timeout=self._patience_s())
            except Empty:
                self._ask_beside()

    def _patience_s(self) -> float:
        rest_s = max(self._until_s - time.monotonic(), 0.0) + 0.1  # gRPC itself ends the call at its deadline
        if not (self._repeatable and self._untried):
            return rest_s
        return min(rest_s, max(self._least_patience_s(), 0.001))

    def _least_patience_s(self) -> float:
        """Of the server that was asked last: those before it have been given up already."""
        server, since_s = next(reversed(self._under_way.values()))
        return server.patience_s(since_s)

    def _ask_beside(self) -> None:
        if self._repeatable and self._untried and self._least_patience_s() <= 0:
            self._send(self._untried.pop(0))

    def _settled(self, call: Any, server: Server) -> AssessmentError | None:  # noqa: ANN401
        error = call.exception()
        if error is None:
            server.heard()
            return None
        failure = AssessmentError.of_call(error)
        if failure.reason:
            server.heard()
        server.rest(pause_s(failure))
        return failure

    def _go_on(self, failure: AssessmentError) -> None:
        """Ask the next one. Raises the failure where that could not mend it, or nobody is left."""
        if not (self._repeatable and mends_elsewhere(failure)):
            raise failure
        if self._untried:
            self._send(self._untried.pop(0))
        elif not self._under_way:
            pause = _FIRST_PAUSE_S * 2**self._rounds
            if self._rounds == ROUNDS or not self._pause(pause):
                raise failure
            self._send(self._next_round())

    def _pause(self, least_s: float) -> bool:
        """Wait until a server may be asked again; False where that would be too late for the caller."""
        rests_s = max(least_s, min(server.rests_for_s for server in self._servers.in_order()))
        if time.monotonic() + rests_s >= self._until_s:
            return False
        time.sleep(rests_s)
        return True

    def _next_round(self) -> Server:
        self._rounds += 1
        first, *self._untried = self._servers.in_order()
        return first

    def _send(self, server: Server) -> None:
        now_s = time.monotonic()
        call = self._method(server).future(
            self._request, timeout=max(self._until_s - now_s, 0.0), metadata=urgency_metadata(self._request)
        )
        self._under_way[call] = (server, now_s)
        call.add_done_callback(self._ended.put)
