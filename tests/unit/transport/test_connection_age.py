"""A connection that has grown old: calls go on over a new one, and what is under way has its grace and no more."""

from collections.abc import Iterator
from queue import SimpleQueue

import grpc

from stepdown.api.v1.assessment_service_pb2 import StreamAssessRiskRequest
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from tests.fakes.assess_requests import assess_request
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side
from tests.unit.transport.patience import until

OLD_S, LONG_S = 0.3, 60.0
PATIENCE_S = 30.0
READY, IDLE = grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.IDLE


class Caller:
    """A caller with an open stream, who hears what becomes of the connection."""

    def __init__(self, side: GrpcSide) -> None:
        self.heard: list[grpc.ChannelConnectivity] = []
        self._asked: SimpleQueue[StreamAssessRiskRequest] = SimpleQueue()
        channel = side.channel()
        channel.subscribe(self.heard.append)
        self.stub = AssessmentServiceStub(channel)
        self._answers = self.stub.StreamAssessRisk(self._asking())
        self.ask_on()

    @property
    def was_sent_away(self) -> bool:
        """Whether the server has said that the connection should be used no more, by which a channel becomes idle."""
        return READY in self.heard and IDLE in self.heard[self.heard.index(READY) :]

    def ask_on(self) -> str:
        """One more question over the stream; the tier that answers."""
        self._asked.put(StreamAssessRiskRequest(request=assess_request()))
        tier: str = next(self._answers).assessment.answered_by.tier
        return tier

    def ask_anew(self) -> str:
        """A call of its own."""
        answer = self.stub.AssessRisk(assess_request(), timeout=PATIENCE_S)
        return answer.assessment.answered_by.tier

    def _asking(self) -> Iterator[StreamAssessRiskRequest]:
        while True:
            yield self._asked.get()


def test_calls_go_on_over_a_new_connection_and_an_open_stream_over_the_old_one() -> None:
    with grpc_side(connection_age_s=OLD_S, connection_age_grace_s=LONG_S) as side:
        caller = Caller(side)
        until(lambda: caller.was_sent_away)
        assert caller.ask_on() == "rules"
        assert caller.ask_anew() == "rules"
        until(lambda: caller.heard.count(READY) > 1)
        assert caller.ask_on() == "rules"


def test_a_stream_that_outlives_the_grace_is_cut_off_and_its_caller_may_begin_another() -> None:
    with grpc_side(connection_age_s=OLD_S, connection_age_grace_s=OLD_S) as side:
        caller = Caller(side)
        until(lambda: caller.was_sent_away)
        assert failure_of(lambda: [caller.ask_on() for _ in range(1_000_000)]).code is grpc.StatusCode.UNAVAILABLE
        assert caller.ask_anew() == "rules"
