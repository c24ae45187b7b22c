"""Who joins the lane's line and who is turned away, with costs that the test has set."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.tiers import Urgency
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.transport.admission import Admission, CallLimits
from stepdown.transport.authorization import Authorization, Caller, Role
from stepdown.transport.calls import Call
from stepdown.transport.completion_queue.call import Arrived, LaneCall
from stepdown.transport.completion_queue.door import Door
from stepdown.transport.completion_queue.methods import LaneMethods
from stepdown.transport.completion_queue.queue import HEAVY_BYTES, CallQueue
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.reception import ReceptionLimits
from stepdown.transport.servicers.assessment_steps import ASSESS_RISK, BATCH_ASSESS_RISK, AssessRiskSteps
from stepdown.transport.tracing import Trace
from tests.fakes.assess_requests import assess_request
from tests.fakes.clock import FakeClock
from tests.unit.transport.flow_side import Side
from tests.unit.transport.grpc_side import Recorded

TRACE = Trace(trace_id="4b" * 16, span_id="5c" * 8, sampled=False)


@dataclass
class Refusals:
    """Stands in for departures."""

    refused: list[LaneCall] = field(default_factory=list)

    def refuse(self, call: LaneCall, error: Exception) -> None:
        assert isinstance(error, RequestRejectedError)
        self.refused.append(call)


class Desk:
    """A queue whose calls cost a second each."""

    def __init__(self) -> None:
        self.clock, self.refusals = FakeClock(), Refusals()
        methods = LaneMethods()
        methods.add(ASSESS_RISK, AssessRiskSteps(Side().flow))
        methods.add(BATCH_ASSESS_RISK, None)
        self.methods = methods
        in_flight = InFlight()
        admission = Admission(
            authorization=Authorization(trust_domain="stepdown.demo"),
            record=Recorded().as_record,
            limits=CallLimits(),
            in_flight=in_flight,
            open_streams=in_flight,
        )
        self.queue = CallQueue(
            methods,
            admission=admission,
            departures=self.refusals,  # type: ignore[arg-type]
            shedding=LoadShedding(),
            clock=self.clock,
        )
        for _ in range(400):
            self.queue.costs.cost(ASSESS_RISK, assess_request().ByteSize(), 1.0)
            self.queue.costs.cost(f"{BATCH_ASSESS_RISK} in a thread", 1000, 1.0)

    def call(
        self, urgency: str = "URGENCY_ROUTINE", *, declared: Urgency | None = None, caller: str = "ward", size: int = 0
    ) -> LaneCall:
        arrival = Arrived(rpc=None, method=ASSESS_RISK, metadata=(), deadline_s=self.clock.monotonic_s() + 4.0)
        call = LaneCall(arrival, trace=TRACE, came_s=self.clock.monotonic_s())
        call.caller = Call(caller=Caller(name=caller, roles=frozenset({Role.ASSESSOR})), trace=TRACE)
        call.declared = declared is not None
        call.urgency = declared or Urgency.EMERGENCY
        call.message = assess_request(urgency=urgency).SerializeToString()
        call.size = size or len(call.message)
        return call


def test_who_is_too_late_is_refused_and_leaves_the_line_as_it_was() -> None:
    desk = Desk()
    calls = [desk.call(declared=Urgency.ROUTINE) for _ in range(6)]
    for call in calls:
        desk.queue.put(call)
    # Three in ten of four seconds may be waited by a routine call: behind one that costs a second, not behind two.
    assert desk.refusals.refused == calls[2:]
    assert desk.queue.take() == (calls[0], False)


def test_an_undeclared_call_is_read_before_it_is_refused_and_an_emergency_is_let_in() -> None:
    desk = Desk()
    for _ in range(2):
        desk.queue.put(desk.call(declared=Urgency.ROUTINE))
    routine, emergency = desk.call(), desk.call("URGENCY_EMERGENCY")
    assert desk.queue.has_room(routine)
    desk.queue.put(routine)
    desk.queue.put(emergency)
    assert desk.refusals.refused == [routine]
    assert desk.queue.take() == (emergency, False)


def test_a_routine_call_that_was_declared_an_emergency_waits_again_as_what_it_is() -> None:
    desk = Desk()
    honest, liar = desk.call("URGENCY_URGENT", declared=Urgency.URGENT), desk.call(declared=Urgency.EMERGENCY)
    desk.queue.put(honest)
    desk.queue.put(liar)
    assert desk.queue.take()[0] is liar
    assert desk.queue.demoted(liar)
    assert desk.queue.take()[0] is honest
    assert not desk.queue.demoted(honest)
    assert desk.queue.take()[0] is liar
    assert not desk.queue.demoted(liar)
    assert not desk.queue


def test_another_callers_newest_gives_way_to_who_has_less_waiting() -> None:
    desk = Desk()
    flood = [desk.call(declared=Urgency.URGENT, caller="flood") for _ in range(2)]
    for call in flood:
        desk.queue.put(call)
    desk.queue.costs.cost(ASSESS_RISK, flood[0].size, 1.0)
    for _ in range(5):
        desk.queue.costs.worked(elapsed_s=1.0, begun_s=0.01)
    desk.queue.adjust()
    other = desk.call(declared=Urgency.URGENT)
    desk.queue.put(other)
    assert desk.refusals.refused == [flood[1]]


def test_who_leaves_waits_no_more() -> None:
    desk = Desk()
    call = desk.call(declared=Urgency.ROUTINE)
    desk.queue.put(call)
    desk.queue.forget(call)
    desk.queue.forget(call)
    assert not desk.queue


def test_heavy_calls_have_a_line_of_their_own_and_wait_for_a_place_in_it() -> None:
    desk = Desk()
    heavy, light = (
        desk.call(declared=Urgency.ROUTINE, size=HEAVY_BYTES + 1),
        desk.call(declared=Urgency.ROUTINE),
    )
    desk.queue.put(heavy)
    desk.queue.put(light)
    desk.queue.heavy_places = 0
    assert desk.queue.take() == (light, False)
    assert not desk.queue
    desk.queue.heavy_places = 1
    assert desk.queue.take() == (heavy, True)


def test_a_method_that_is_not_answered_in_steps_is_heavy_and_believed_in_what_it_declares() -> None:
    desk = Desk()
    call = desk.call(declared=Urgency.URGENT)
    call.arrival = Arrived(rpc=None, method=BATCH_ASSESS_RISK, metadata=(), deadline_s=None)
    desk.queue.put(call)
    assert desk.queue.take() == (call, True)
    assert not desk.queue.demoted(call)


def test_a_method_without_a_service_has_no_handler() -> None:
    desk = Desk()
    assert ASSESS_RISK in desk.methods
    assert desk.methods.served == ()
    with pytest.raises(LookupError):
        desk.methods.handler(ASSESS_RISK)


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_caller_is_not_blamed_for_messages_that_may_lie_unread_here(waiting: int) -> None:
    """Whether they lie here or were never sent: it is told to come again, which is right either way."""
    desk = Desk()
    for _ in range(waiting):
        desk.queue.put(desk.call(declared=Urgency.URGENT))
    parts: Any = SimpleNamespace(
        queue=desk.queue,
        open_calls=10,
        drain=DrainSignal(),
        stalls=SimpleNamespace(dawdling=lambda _: 16),
        limits=ReceptionLimits(),
    )
    with pytest.raises(RequestRejectedError) as refused:
        Door(parts)._let_in(desk.call(declared=Urgency.EMERGENCY))  # noqa: SLF001
    assert (refused.value.reason, refused.value.retry_after_s) == ("OVERLOADED", 1.0)
