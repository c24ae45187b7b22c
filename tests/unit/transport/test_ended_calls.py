"""Calls that were over before their method began: nothing is begun for them and nothing is left behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2

from stepdown.adapters.system_clock import SystemClock
from stepdown.api.v1 import assessment_service_pb2, operations_service_pb2
from stepdown.transport.admission import Admission, CallLimits
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.authorization import Authorization, Caller, Role
from stepdown.transport.calls import Call, enter_call
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.draining import DrainSignal
from stepdown.transport.guard import Guard, Lanes
from stepdown.transport.health import HealthBoard, ServedNames
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.in_flight import InFlight
from stepdown.transport.reception import Reception, ReceptionLimits
from stepdown.transport.servicers.assessment import AssessmentServicer
from stepdown.transport.servicers.health import HealthServicer
from stepdown.transport.servicers.operations import OperationsServicer
from stepdown.transport.stalls import Stalls
from stepdown.transport.stream_places import StreamPlaces
from stepdown.transport.tracing import Trace
from stepdown.transport.turns import Turns
from tests.fakes.activations import FakeActivations
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import FakeChain
from tests.fakes.claims import FakeClaims
from tests.fakes.clinical_pathways import clinical_pathway
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.grpc_side import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EndedContext:
    """gRPC's context of a call that has terminated: callbacks come too late."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        del callback
        return False

    def time_remaining(self) -> float:
        return 5.0

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    def set_trailing_metadata(self, metadata: object) -> None:
        del metadata

    def auth_context(self) -> "Mapping[str, Sequence[bytes]]":
        return {"ssl_tls_version": [b"TLSv1.3"], "peer_uri": [b"spiffe://stepdown.demo/assessor/x"]}


@pytest.fixture
def context() -> grpc.ServicerContext:
    enter_call(
        Call(
            caller=Caller(name="x", roles=frozenset({Role.ASSESSOR})),
            trace=Trace(trace_id="4b" * 16, span_id="5c" * 8, sampled=False),
        )
    )
    return cast("grpc.ServicerContext", EndedContext())


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture
def assessment(chain: FakeChain) -> AssessmentServicer:
    flow = AssessmentFlow(
        chain=chain,
        pathways=ClinicalPathways(clinical={PATHWAY: clinical_pathway()}),
        claims=FakeClaims(),
        clock=SystemClock(),
        record=Recorded().as_record,
        limits=RequestLimits(),
    )
    return AssessmentServicer(flow, in_flight=InFlight(), drain=DrainSignal())


def test_no_encounter_is_assessed(
    assessment: AssessmentServicer, context: grpc.ServicerContext, chain: FakeChain
) -> None:
    assert not assessment.AssessRisk(assess_request(), context).HasField("assessment")
    batch = assessment_service_pb2.BatchAssessRiskRequest(requests=[assess_request()])
    assert len(assessment.BatchAssessRisk(batch, context).results) == 0
    requests = iter([assessment_service_pb2.StreamAssessRiskRequest(request=assess_request())])
    assert list(assessment.StreamAssessRisk(requests, context)) == []
    assert chain.submitted == []


def test_no_tier_is_watched(context: grpc.ServicerContext, chain: FakeChain) -> None:
    servicer = OperationsServicer(
        chain, activations=FakeActivations(), alarms=tuple, drills=None, drain=DrainSignal(), event=Recorded().event
    )
    assert list(servicer.WatchTiers(operations_service_pb2.WatchTiersRequest(), context)) == []
    assert chain.listeners == 0


def test_no_health_is_watched(context: grpc.ServicerContext, chain: FakeChain) -> None:
    board = HealthBoard(ServedNames(services=frozenset(), clinical=frozenset()), read=chain.status)
    assert list(HealthServicer(board).Watch(health_pb2.HealthCheckRequest(), context)) == []


def admission(in_flight: InFlight, recorded: Recorded) -> Admission:
    return Admission(
        authorization=Authorization(
            trust_domain="stepdown.demo", method_roles={"/a/method": frozenset({Role.ASSESSOR})}
        ),
        record=recorded.as_record,
        limits=CallLimits(),
        in_flight=in_flight,
        open_streams=in_flight,
    )


def reception() -> Reception:
    stalls = Stalls(SystemClock(), is_pressed=lambda: False, on_cut=lambda _: None)
    stalls.close()
    return Reception(stalls=stalls, held=HeldBytes(limit=100, caller_limit=100), limits=ReceptionLimits())


def lanes() -> Lanes:
    pool, places = ThreadPoolExecutor(1), StreamPlaces(places=1, caller_places=1)
    return Lanes(
        answering=Turns(places=1, maximum_wait_s=1.0, clock=SystemClock()),
        streams=pool,
        places=places,
        watches=pool,
        watch_places=places,
        waited_s=lambda: 0.0,
        has_room=lambda: True,
    )


def test_nothing_that_was_received_or_is_delivered_stays_held(context: grpc.ServicerContext) -> None:
    stalls = Stalls(SystemClock(), is_pressed=lambda: False, on_cut=lambda _: None)
    stalls.close()
    held = HeldBytes(limit=100, caller_limit=100)
    receiving = Reception(stalls=stalls, held=held, limits=ReceptionLimits())
    assert receiving.message(iter([b"request"]), context) == b"request"
    assert receiving.deliver(b"answer", context) == b"answer"
    assert held.total == 0
    stalls.look()
    assert stalls.dawdling("x") == 0


def test_nothing_stays_in_flight(context: grpc.ServicerContext) -> None:
    in_flight = InFlight()
    gate = admission(in_flight, Recorded())
    gate.count_until_delivered(context)
    with gate.stream(context, StreamPlaces(places=1, caller_places=1)):
        pass
    assert in_flight.wait_until_idle(0.0) == 0


def test_grpcs_own_error_of_a_caller_that_left_is_passed_on_as_it_is(context: grpc.ServicerContext) -> None:
    """GRPC recognises it by identity; a status in its place would be an answer to nobody, and an incident to us."""
    recorded, left = Recorded(), grpc.RpcError()
    with pytest.raises(grpc.RpcError) as caught, admission(InFlight(), recorded).call("/a/method", context):
        raise left
    assert caught.value is left
    assert recorded.incidents == []


def test_a_handler_that_holds_no_function_is_a_defect_that_shows_at_once() -> None:
    nothing = cast("Callable[..., object]", None)
    gate = admission(InFlight(), Recorded())
    guard = Guard(gate, reception=reception(), lanes=lanes(), drain=DrainSignal())
    details = cast("grpc.HandlerCallDetails", type("Details", (), {"method": "/a/method", "invocation_metadata": ()})())
    with pytest.raises(TypeError, match="holds no function"):
        guard.intercept_service(lambda _: grpc.unary_unary_rpc_method_handler(nothing), details)
