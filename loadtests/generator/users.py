"""The callers, as locust users: one connection each, and a list of moments at which to ask.

A user never waits for an answer before it asks again (an open loop): each call runs in a greenlet of its own.
"""

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import gevent
import grpc
from gevent.event import Event
from gevent.pool import Group
from locust import User, task
from locust.exception import StopUser

from loadtests.frames import batch_frame
from loadtests.generator.questions import Questions
from loadtests.generator.recorder import Settled
from loadtests.order import Order
from loadtests.schedule import Arrival, Line
from stepdown.client import AssessmentError
from stepdown.client.urgency import URGENCY_KEY

SERVICE = "/stepdown.api.v1.AssessmentService"


@dataclass(slots=True, kw_only=True)
class Run:
    """What all callers of a run share; `zero_s` is the monotonic time of t = 0."""

    order: Order
    questions: Questions
    lines: list[Line]
    zero_s: float = 0.0
    ended: int = 0
    all_done: Event = field(default_factory=Event)

    def take(self, profile: str) -> Line:
        """The next line of a profile that nobody has taken."""
        return self.lines.pop(next(number for number, line in enumerate(self.lines) if line.profile == profile))


class Caller(User):
    """Asks at its moments, whatever became of the questions before."""

    abstract = True
    profile: ClassVar[str]

    def on_start(self) -> None:
        """Take a line of the schedule and connect."""
        self.run: Run = self.environment.parsed_options
        self.line = self.run.take(self.profile)
        self.channel = self.run.order.credentials.channel(self.run.order.addresses, own_connection=True)
        self.sending = Group()
        self.connect()

    def connect(self) -> None:
        """Prepare what is called; connections are made by the first call, before t = 0."""
        self.one = self.channel.unary_unary(f"{SERVICE}/AssessRisk")
        self.many = self.channel.unary_unary(f"{SERVICE}/BatchAssessRisk")

    @task
    def ask_on_time(self) -> None:
        """The whole line."""
        for arrival in self.line.arrivals:
            due_s = self.run.zero_s + arrival.at_s
            gevent.sleep(max(0.0, due_s - time.monotonic()))
            self.sending.spawn(self.ask, arrival, due_s)
        self.sending.join()
        self.finish()
        self.channel.close()
        self.run.ended += 1
        if not self.run.lines and self.run.ended == sum(kind.fixed_count for kind in self.environment.user_classes):
            self.run.all_done.set()
        raise StopUser

    def ask(self, arrival: Arrival, due_s: float) -> None:
        """Send one call and settle it."""
        asked = [self.run.questions.next(arrival.urgency) for _ in range(arrival.size)]
        sent_s = time.monotonic()
        reply, failure = b"", ""
        declared = ((URGENCY_KEY, arrival.urgency),)
        try:
            if arrival.size == 1:
                reply = self.one(asked[0][1], timeout=self.line.deadline_s, metadata=declared)
            else:
                frame = batch_frame(frame for _, frame in asked)
                reply = self.many(frame, timeout=self.line.deadline_s, metadata=declared)
        except grpc.RpcError as error:
            failure = failure_text(error)
        self.settle(
            Settled(
                profile=self.profile,
                urgency=arrival.urgency,
                request_ids=tuple(request_id for request_id, _ in asked),
                intended_s=due_s,
                sent_s=sent_s,
                done_s=time.monotonic(),
                # gRPC held the call to its deadline itself; by how much this process was late is told apart.
                deadline_s=float("inf"),
                reply=reply,
                failure=failure,
            )
        )

    def finish(self) -> None:
        """Wait for what is still due."""

    def settle(self, settled: Settled) -> None:
        """Tell locust, whose statistics and whose listeners know nothing of tiers."""
        context: dict[str, Any] = {"settled": settled}
        self.environment.events.request.fire(
            request_type="gRPC",
            name=settled.profile,
            response_time=(settled.done_s - settled.intended_s) * 1e3,
            response_length=len(settled.reply),
            exception=settled.failure or None,
            context=context,
        )


class Steady(Caller):
    """Many screens, each asking when somebody opens it."""

    profile = "steady"


class WardRound(Caller):
    """A sweep over a ward's beds, in batches."""

    profile = "ward-round"


class Surge(Caller):
    """A backlog let loose."""

    profile = "surge-10x"


def failure_text(error: grpc.RpcError) -> str:
    """The gRPC code and the server's own reason."""
    told = AssessmentError.of_call(error)
    return f"{told.code} {told.reason}".strip()
