"""A client that asks for far more than its part, under a name of its own. It is turned away politely or not at all."""

import threading
import time
from functools import partial
from typing import Any

import grpc

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from tests.conformance.callers import TRUST_DOMAIN, channel_as
from tests.faults.running_server import RunningServer
from tests.soak import questions
from tests.soak.tally import Tally

CROWD = f"spiffe://{TRUST_DOMAIN}/assessor/conformance"
_AT_ONCE = 150
_TIMEOUT_S = 2.0
_PUSH_BACK = "grpc-retry-pushback-ms"


class Crowd:
    """More calls under way than the server has threads, for a while. Heeds no push-back: that is what is wrong with it.

    A call of it that has no answer met its own deadline, or was told when to come back; another ending is a problem.
    """

    def __init__(self, server: RunningServer, tally: Tally) -> None:
        self._server = server
        self._tally = tally

    def press(self, for_s: float, *, is_cut_off: bool = False) -> None:
        """Ask without pause; `is_cut_off`: a drill holds all back that this client is told, and no ending is wrong."""
        places = threading.Semaphore(_AT_ONCE)
        until_s, number = time.monotonic() + for_s, 0
        with channel_as(self._server) as channel:
            stub = AssessmentServiceStub(channel)
            while time.monotonic() < until_s:
                if not places.acquire(timeout=_TIMEOUT_S):
                    continue
                question, request = questions.good(number)
                number += 1
                call: Any = stub.AssessRisk.future(request, timeout=_TIMEOUT_S)
                call.add_done_callback(partial(self._settle, question, request.request_id, is_cut_off=is_cut_off))
                call.add_done_callback(lambda _: places.release())
            for _ in range(_AT_ONCE):
                places.acquire(timeout=2 * _TIMEOUT_S)

    def _settle(self, question: int, request_id: str, call: Any, *, is_cut_off: bool) -> None:  # noqa: ANN401 - a Call and a Future in one
        if call.code() is grpc.StatusCode.OK:
            self._tally.answered(question, request_id, call.result().assessment)
            return
        trailers = {each.key for each in call.trailing_metadata() or ()}
        late = call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        told = call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _PUSH_BACK in trailers
        if is_cut_off or late or told:
            self._tally.count("crowd: cut off" if is_cut_off else "crowd: late" if late else "crowd: told to come back")
        else:
            self._tally.problem("turned away without a word", f"{call.code()} {call.details()}")
