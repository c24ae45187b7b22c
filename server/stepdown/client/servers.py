"""The servers that a client may ask, each over a channel of its own, and what the client knows of each.

Two things tell that one should not be asked: its channel, which gRPC holds for failed while nobody listens or health
says NOT_SERVING; and its silence, since a process that was stopped keeps its connections and answers nothing. Refuses
to take a slow server for a stopped one: whoever owes an answer for long is asked for its health beside it.
"""

import time
from collections.abc import Callable, Sequence
from itertools import count

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub

SERVICE = "stepdown.api.v1.AssessmentService"
SILENCE_S = 0.25
"""How long a server may owe an answer before it is asked for its health."""
CHECK_S = 0.25
"""How long it may take to say that, before it is taken for stopped."""
_AGAIN_S = 0.5

Now = Callable[[], float]


class Server:
    """One server. Any thread may use it: each field is read and set in one step."""

    def __init__(self, channel: grpc.Channel, *, now_s: Now = time.monotonic) -> None:
        self.assessments = AssessmentServiceStub(channel)
        self._check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        self._channel = channel
        self._now_s = now_s
        self._heard_s = now_s()
        self._checked_s = float("-inf")
        self._is_failed = False
        self._is_silent = False
        self._rests_until_s = float("-inf")
        channel.subscribe(self._on_connectivity)

    def heard(self) -> None:
        """It has said something, whatever it was."""
        self._heard_s = self._now_s()
        self._is_silent = False

    def rest(self, span_s: float) -> None:
        """It asked not to be called for a while."""
        self._rests_until_s = self._now_s() + span_s

    @property
    def rests_for_s(self) -> float:
        """How long it still wants not to be called; zero or less: it may be."""
        return self._rests_until_s - self._now_s()

    @property
    def is_well(self) -> bool:
        """Whether there is no reason to ask another one first."""
        return not (self._is_failed or self._is_silent or self.rests_for_s > 0)

    def patience_s(self, owing_since_s: float) -> float:
        """How long it may still owe an answer; zero or less: it is taken for stopped, and not asked first any more.

        Looks at its health meanwhile.
        """
        silent_s = self._now_s() - max(owing_since_s, self._heard_s)
        if silent_s >= SILENCE_S:
            self.look()
        if silent_s >= SILENCE_S + CHECK_S:
            self._is_silent = True
        return (SILENCE_S if silent_s < SILENCE_S else SILENCE_S + CHECK_S) - silent_s

    def look(self) -> None:
        """Ask for its health, unless that was done a moment ago; an answer of any kind breaks its silence."""
        now_s = self._now_s()
        if now_s - self._checked_s < _AGAIN_S:
            return
        self._checked_s = now_s
        self._check.future(HealthCheckRequest(service=SERVICE), timeout=_AGAIN_S).add_done_callback(self._on_checked)

    def close(self) -> None:
        """End its connection."""
        self._channel.close()

    def _on_checked(self, check: "grpc.Future[HealthCheckResponse]") -> None:
        if not check.cancelled() and check.exception() is None:
            self.heard()

    def _on_connectivity(self, connectivity: grpc.ChannelConnectivity) -> None:
        self._is_failed = connectivity in {
            grpc.ChannelConnectivity.TRANSIENT_FAILURE,
            grpc.ChannelConnectivity.SHUTDOWN,
        }


class Servers:
    """All of them, in the order in which a call should try them."""

    def __init__(self, channels: Sequence[grpc.Channel]) -> None:
        self._servers = tuple(map(Server, channels))
        self._turn = count()

    def __len__(self) -> int:
        return len(self._servers)

    def in_order(self) -> list[Server]:
        """The well ones first, each in its turn; a silent one is looked at again, so that it comes back."""
        first = next(self._turn) % len(self._servers)
        turned = self._servers[first:] + self._servers[:first]
        for server in turned:
            if not server.is_well:
                server.look()
        return sorted(turned, key=lambda server: not server.is_well)

    def close(self) -> None:
        """End every connection."""
        for server in self._servers:
            server.close()
