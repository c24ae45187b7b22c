"""One feed of encounters over whichever server answers: what was sent and not answered is sent again to the next.

Refuses to answer a request twice, and to read far ahead of the answers.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from typing import Any

import grpc

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest, StreamAssessRiskRequest, StreamAssessRiskResponse
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.client.failures import AssessmentError, settled
from stepdown.client.retries import mends_elsewhere, pause_s
from stepdown.client.servers import Server, Servers

AHEAD = 128
"""How many encounters may be sent and unanswered."""
ROUNDS = 4
"""How many servers in a row may fail without a single answer, for each server there is."""
_FIRST_PAUSE_S = 0.02
_LOOK_S = 0.1


class _SilentError(Exception):
    """The server owes answers and says nothing, not even that it is well."""


class Outbox:
    """What the caller gave and no server has answered, in order. One thread fills it; each call's own thread sends."""

    def __init__(self, requests: Iterable[AssessRiskRequest]) -> None:
        self._requests = requests
        self._change = Condition()
        self._waiting: deque[AssessRiskRequest] = deque()
        self._sent: dict[str, list[AssessRiskRequest]] = {}
        self._owing = 0
        self._since_s = 0.0
        self._call = 0
        self._error: BaseException | None = None
        self._is_complete = False
        Thread(target=self._fill, name="feed", daemon=True).start()

    def messages(self) -> Iterator[StreamAssessRiskRequest]:
        """For a new call: what the one before it was not answered, then the rest. The older call sends no more."""
        with self._change:
            self._call += 1
            call = self._call
            again = [request for requests in self._sent.values() for request in requests]
            self._waiting.extendleft(reversed(again))
            self._sent.clear()
            self._change.notify_all()
        return self._sending(call)

    def answered(self, request_id: str) -> bool:
        """Take one off. False: it was answered before, by a server that had been given up."""
        with self._change:
            known = self._sent.get(request_id)
            if known is None:
                return not request_id  # a request without an id is answered by a refusal, and never sent again
            known.pop()
            if not known:
                del self._sent[request_id]
            self._owing -= 1
            self._since_s = time.monotonic()
            self._change.notify_all()
            return True

    @property
    def owing_since_s(self) -> float | None:
        """Since when a server owes an answer; None: it owes none."""
        with self._change:
            return self._since_s if self._sent else None

    @property
    def is_done(self) -> bool:
        """Whether everything was given and answered. Raises what reading the caller's requests raised."""
        with self._change:
            if self._error is not None and not self._owing:
                raise self._error
            return self._is_complete and not self._owing

    def close(self) -> None:
        """Send nothing more."""
        with self._change:
            self._call += 1
            self._is_complete = True
            self._change.notify_all()

    def _fill(self) -> None:
        try:
            for request in self._requests:
                with self._change:
                    self._change.wait_for(lambda: self._owing < AHEAD or self._is_complete)
                    if self._is_complete:
                        return
                    self._waiting.append(request)
                    self._owing += bool(request.request_id)
                    self._change.notify_all()
        except BaseException as error:  # noqa: BLE001  # the caller's own, raised where it waits for answers
            self._error = error
        with self._change:
            self._is_complete = True
            self._change.notify_all()

    def _sending(self, call: int) -> Iterator[StreamAssessRiskRequest]:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._is_complete or self._call != call)
                if self._call != call or not self._waiting:
                    return
                request = self._waiting.popleft()
                if request.request_id:
                    if not self._sent:
                        self._since_s = time.monotonic()
                    self._sent.setdefault(request.request_id, []).append(request)
            yield StreamAssessRiskRequest(request=request)


class Feed:
    """Keeps one call open, and opens the next when its server ends, fails or falls silent."""

    def __init__(self, servers: Servers, requests: Iterable[AssessRiskRequest]) -> None:
        self._servers = servers
        self._requests = requests
        self._failures = 0

    def answers(self) -> Iterator[tuple[str, Assessment | AssessmentError]]:
        """Each answer once. Raises AssessmentError when no server is left."""
        outbox = Outbox(self._requests)
        try:
            while not outbox.is_done:
                order = self._servers.in_order()
                yield from self._over(order[0], outbox, alone=len(order) == 1)
        finally:
            outbox.close()

    def _over(
        self, server: Server, outbox: Outbox, *, alone: bool
    ) -> Iterator[tuple[str, Assessment | AssessmentError]]:
        """The answers of one server, until it is done or should be left."""
        call: Any = server.assessments.StreamAssessRisk(outbox.messages())
        heard: SimpleQueue[StreamAssessRiskResponse | None] = SimpleQueue()
        Thread(target=_listen, args=(call, heard), name="feed-answers", daemon=True).start()
        try:
            while (response := self._next(server, heard, outbox, alone=alone)) is not None:
                self._failures = 0
                server.heard()
                if outbox.answered(response.request_id):
                    yield response.request_id, settled(response)
        except _SilentError:
            return
        finally:
            call.cancel()
        self._go_on(server, call, outbox)

    @staticmethod
    def _next(
        server: Server, heard: "SimpleQueue[StreamAssessRiskResponse | None]", outbox: Outbox, *, alone: bool
    ) -> StreamAssessRiskResponse | None:
        """The next answer; None when the call has ended. Raises _SilentError when the server seems to have stopped."""
        while True:
            since_s = outbox.owing_since_s
            patience_s = _LOOK_S if since_s is None or alone else server.patience_s(since_s)
            if patience_s <= 0:
                raise _SilentError
            try:
                return heard.get(timeout=max(patience_s, 0.001))
            except Empty:
                continue

    def _go_on(self, server: Server, call: Any, outbox: Outbox) -> None:  # noqa: ANN401
        """After a call has ended. Raises its failure where another server could not mend it, or all have failed."""
        if call.code() is grpc.StatusCode.OK and outbox.is_done:
            return
        failure = AssessmentError.of_call(call)
        self._failures += 1
        if not mends_elsewhere(failure) or self._failures > ROUNDS * len(self._servers):
            raise failure
        server.rest(max(pause_s(failure), _FIRST_PAUSE_S * 2**self._failures))
        time.sleep(max(min(each.rests_for_s for each in self._servers.in_order()), 0.0))


def _listen(call: Any, heard: "SimpleQueue[StreamAssessRiskResponse | None]") -> None:  # noqa: ANN401
    try:
        for response in call:
            heard.put(response)
    except grpc.RpcError:
        pass
    heard.put(None)
