"""One `StreamAssessRisk`: reads ahead, keeps a bounded number under way, and answers in the order of readiness.

Refuses to read faster than it answers: what the client sends beyond the bound waits in gRPC's flow control.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from queue import Empty, SimpleQueue

import grpc

from stepdown.api.v1.assessment_service_pb2 import StreamAssessRiskRequest, StreamAssessRiskResponse
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.codec.item_failures import encode_failure
from stepdown.transport.in_flight import InFlight
from stepdown.transport.questions import CallTerms, Question

UNDER_WAY = 64
"""How many encounters of one stream are assessed at a time."""


class _Ending(Enum):
    """Why nothing more is read."""

    CLIENT_DONE = auto()
    CLIENT_GONE = auto()
    DRAINING = auto()


class AssessmentStream:
    """Serves one call. A thread of its own reads; the call's thread does everything else."""

    def __init__(self, flow: AssessmentFlow, *, terms: CallTerms, in_flight: InFlight) -> None:
        self._flow = flow
        self._terms = terms
        self._begun_s = flow.now_s()
        self._in_flight = in_flight
        self._arrivals: SimpleQueue[StreamAssessRiskRequest | Question | _Ending | Exception] = SimpleQueue()
        self._places = threading.Semaphore(UNDER_WAY)
        self._under_way: set[Question] = set()
        self._ending: _Ending | None = None

    @property
    def is_drained(self) -> bool:
        """Whether it ended because the server is stopping."""
        return self._ending is _Ending.DRAINING

    def drain(self) -> None:
        """Answer what is under way, read nothing more."""
        self._arrivals.put(_Ending.DRAINING)

    def leave(self) -> None:
        """The client is gone."""
        self._arrivals.put(_Ending.CLIENT_GONE)

    def answers(self, requests: Iterator[StreamAssessRiskRequest]) -> Iterator[StreamAssessRiskResponse]:
        """One response for each request that was begun."""
        threading.Thread(target=self._read, args=(requests,), name="stream-reader", daemon=True).start()
        try:
            while self._ending is None or (self._under_way and self._ending is not _Ending.CLIENT_GONE):
                for question in self._ready():
                    yield _response(question)
                    self._close(question)
        finally:
            self._flow.abandon(self._under_way)
            for question in tuple(self._under_way):
                self._close(question)
            self._places.release()  # a reader that waits for a place finds that the call is over

    def _read(self, requests: Iterator[StreamAssessRiskRequest]) -> None:
        """Until the client has sent all, or gRPC says that the call is over."""
        try:
            for request in requests:
                self._places.acquire()
                self._arrivals.put(request)
        except grpc.RpcError:
            self._arrivals.put(_Ending.CLIENT_GONE)
        except Exception as error:  # noqa: BLE001  # raised again in the call's own thread, where the guard stands
            self._arrivals.put(error)
        else:
            self._arrivals.put(_Ending.CLIENT_DONE)

    def _ready(self) -> tuple[Question, ...]:
        """Wait for one thing to happen; the questions that it settled."""
        try:
            arrived = self._arrivals.get(timeout=self._patience_s())
        except Empty:
            return self._concluded(question for question in self._under_way if question.until_s <= self._flow.now_s())
        if isinstance(arrived, Question):
            return self._concluded((arrived,) if arrived in self._under_way else ())
        if isinstance(arrived, StreamAssessRiskRequest):
            self._open(arrived)
        elif isinstance(arrived, Exception):
            raise arrived
        else:
            self._ending = arrived
        return ()

    def _open(self, message: StreamAssessRiskRequest) -> None:
        self._in_flight.enter()
        terms = self._terms
        if terms.remaining_s is not None:
            elapsed_s = self._flow.now_s() - self._begun_s
            terms = replace(terms, remaining_s=max(0.0, terms.remaining_s - elapsed_s))
        self._under_way.update(self._flow.begin((message.request,), terms, self._arrivals.put))

    def _concluded(self, questions: Iterable[Question]) -> tuple[Question, ...]:
        """Those of them that are settled now; of the others the record is still on its way."""
        concluded = tuple(questions)
        for question in concluded:
            self._flow.conclude(question, self._terms)
        return tuple(question for question in concluded if question.is_settled)

    def _close(self, question: Question) -> None:
        """Its answer has left: gRPC comes back for the next one only then."""
        self._under_way.discard(question)
        self._in_flight.leave()
        self._places.release()

    def _patience_s(self) -> float | None:
        until_s = min((question.until_s for question in self._under_way), default=None)
        return None if until_s is None else max(0.0, until_s - self._flow.now_s())


def _response(question: Question) -> StreamAssessRiskResponse:
    return StreamAssessRiskResponse(
        request_id=question.request_id,
        assessment=question.assessment,
        failure=None if question.failure is None else encode_failure(question.failure),
    )
