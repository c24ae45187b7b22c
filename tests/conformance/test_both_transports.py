"""Two ways of serving unary calls, one contract: whatever a client does, it cannot tell which of them answered."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.drills import FaultInjection, InjectableFault
from stepdown.domain.reasons import Reason
from stepdown.transport.interference import Interference
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import never
from tests.fakes.open_inference import echoed, grid, unanswered
from tests.fakes.open_inference_side import OpenInferenceSide, all_serving, open_inference_side
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.failures import failure_of, read_failure
from tests.unit.transport.grpc_side import TRUST_DOMAIN
from tests.unit.transport.oip.asking import sepsis_request
from tests.unit.transport.patience import until

TRANSPORTS = ("completion_queue", "public")
UNARY = (
    "/stepdown.api.v1.AssessmentService/AssessRisk",
    "/stepdown.api.v1.AssessmentService/BatchAssessRisk",
    "/inference.GRPCInferenceService/ModelInfer",
)
PATIENCE_S = 20.0
BATCH = 40
LIMIT = 60_000
INTERFERENCE = Interference(threads=64)


@pytest.fixture(scope="module", params=TRANSPORTS)
def serving(request: pytest.FixtureRequest) -> Iterator[OpenInferenceSide]:
    with open_inference_side(transport=request.param, interference=INTERFERENCE, request_bytes=LIMIT) as side:
        assert side.grpc_side.listener.transport.name == request.param
        yield side


@pytest.fixture
def side(serving: OpenInferenceSide) -> OpenInferenceSide:
    serving.chain.answer = echoed
    serving.chain.move(*all_serving())
    serving.chain.submitted.clear()
    serving.chain.cancelled.clear()
    serving.recorded.notices.clear()
    serving.grpc_side.recorded.incidents.clear()
    return serving


@pytest.fixture
def assessor(side: OpenInferenceSide) -> AssessmentServiceStub:
    return AssessmentServiceStub(side.grpc_side.assessor)


def raw(side: OpenInferenceSide, method: str, role: str = "assessor") -> Callable[..., bytes]:
    """A method taking and giving bytes."""
    call: Callable[..., bytes] = side.grpc_side.channel(role).unary_unary(method)
    return call


def test_each_unary_method_is_answered_and_the_chain_hears_who_asked(
    side: OpenInferenceSide, assessor: AssessmentServiceStub
) -> None:
    request = assess_request()
    assert assessor.AssessRisk(request, timeout=PATIENCE_S).assessment.request_id == request.request_id
    batch = [assess_request() for _ in range(BATCH)]
    results = assessor.BatchAssessRisk(wire.BatchAssessRiskRequest(requests=batch), timeout=PATIENCE_S).results
    assert [result.request_id for result in results] == [each.request_id for each in batch]
    infer = GRPCInferenceServiceStub(side.grpc_side.assessor).ModelInfer
    assert infer(sepsis_request(grid(80.0)), timeout=PATIENCE_S).model_name == PATHWAY
    assert {each.client for each in side.chain.asked} == {f"spiffe://{TRUST_DOMAIN}/assessor/test"}
    assert len(side.chain.asked) == 1 + BATCH + 1


def test_an_item_that_fails_costs_the_others_nothing(assessor: AssessmentServiceStub) -> None:
    requests = [assess_request(), assess_request(pathway="unheard-of")]
    results = assessor.BatchAssessRisk(wire.BatchAssessRiskRequest(requests=requests), timeout=PATIENCE_S).results
    assert [result.WhichOneof("result") for result in results] == ["assessment", "failure"]


@pytest.mark.parametrize("method", UNARY)
@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_may_not_is_told_nothing_and_is_put_on_record(side: OpenInferenceSide, method: str, role: str) -> None:
    failed = failure_of(lambda: raw(side, method, role)(b"\xff", timeout=PATIENCE_S))
    assert (failed.code, failed.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    name, fields = side.grpc_side.recorded.events[-1]
    assert (name, fields["method"], fields["caller"]) == ("call_denied", method, f"spiffe://{TRUST_DOMAIN}/{role}/test")


def test_who_has_no_identity_of_this_hospital_is_nobody(side: OpenInferenceSide) -> None:
    channel = side.grpc_side.channel(identity="spiffe://elsewhere/assessor/test")
    failed = failure_of(lambda: AssessmentServiceStub(channel).AssessRisk(assess_request(), timeout=PATIENCE_S))
    assert failed.code is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", UNARY)
def test_what_is_no_message_is_malformed(side: OpenInferenceSide, method: str) -> None:
    failed = failure_of(lambda: raw(side, method)(b"\xff\xff", timeout=PATIENCE_S))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_MALFORMED")
    assert failed.trailing["traceresponse"]


@pytest.mark.parametrize("method", UNARY)
def test_a_call_without_a_message_is_malformed(side: OpenInferenceSide, method: str) -> None:
    call: Any = side.grpc_side.assessor.stream_unary(method)
    failed = failure_of(lambda: call(iter(()), timeout=PATIENCE_S))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_MALFORMED")


def test_a_message_that_is_too_large_is_refused_with_its_limit(side: OpenInferenceSide) -> None:
    failed = failure_of(lambda: raw(side, UNARY[0])(bytes(LIMIT + 1), timeout=PATIENCE_S))
    assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
    assert failed.metadata["maximum_request_bytes"] == str(LIMIT)


def test_a_batch_that_is_too_long_is_refused(assessor: AssessmentServiceStub) -> None:
    long = wire.BatchAssessRiskRequest(requests=[wire.AssessRiskRequest()] * 1025)
    failed = failure_of(lambda: assessor.BatchAssessRisk(long, timeout=PATIENCE_S))
    assert (failed.reason, failed.metadata["maximum_batch"]) == ("TOO_LARGE", "1024")


def test_the_trace_of_the_caller_is_taken_up(assessor: AssessmentServiceStub) -> None:
    parent = f"00-{'4b' * 16}-{'5c' * 8}-01"
    _, call = assessor.AssessRisk.with_call(assess_request(), timeout=PATIENCE_S, metadata=(("traceparent", parent),))
    assert str(dict(call.trailing_metadata())["traceresponse"]).startswith(f"00-{'4b' * 16}-")


def test_a_chain_that_breaks_altogether_costs_no_answer(
    side: OpenInferenceSide, assessor: AssessmentServiceStub
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    side.chain.answer = broken
    assert assessor.AssessRisk(assess_request(), timeout=PATIENCE_S).assessment.answered_by.tier == "rules"
    assert [type(each) for each in side.grpc_side.recorded.incidents] == [RuntimeError]


def test_a_call_without_a_deadline_has_the_pathways_budget_and_says_so(
    side: OpenInferenceSide, assessor: AssessmentServiceStub
) -> None:
    side.chain.answer = never
    answer = assessor.AssessRisk(assess_request()).assessment
    assert answer.answered_by.tier == "rules"
    assert "DEADLINE_NOT_SET" in str(answer.input_flags)


@pytest.mark.parametrize("method", UNARY)
def test_a_caller_that_leaves_is_withdrawn_and_leaves_nothing_behind(side: OpenInferenceSide, method: str) -> None:
    side.chain.answer = never
    messages = {
        UNARY[0]: assess_request(),
        UNARY[1]: wire.BatchAssessRiskRequest(requests=[assess_request()]),
        UNARY[2]: sepsis_request(grid(80.0)),
    }
    call: Any = side.grpc_side.assessor.unary_unary(method)
    left = call.future(messages[method].SerializeToString(), timeout=PATIENCE_S)
    until(lambda: len(side.chain.asked) == 1)
    left.cancel()
    until(lambda: side.chain.cancelled == list(side.chain.asked))
    until(lambda: side.in_flight.count == 0)


def test_a_caller_whose_deadline_passes_before_anybody_answers_hears_of_it(side: OpenInferenceSide) -> None:
    side.chain.answer = never
    infer = GRPCInferenceServiceStub(side.grpc_side.assessor).ModelInfer
    failed = failure_of(lambda: infer(sepsis_request(grid(80.0)), timeout=0.1))
    assert failed.code is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: side.in_flight.count == 0)


def test_an_answer_that_a_drill_holds_back_leaves_when_the_drill_is_over(
    side: OpenInferenceSide, assessor: AssessmentServiceStub
) -> None:
    held = FaultInjection(
        fault=InjectableFault.NETWORK_PARTITION, client=f"spiffe://{TRUST_DOMAIN}/assessor/test", duration_s=60.0
    )
    INTERFERENCE.begin(held)
    waiting = assessor.AssessRisk.future(assess_request(), timeout=PATIENCE_S)
    until(lambda: len(side.chain.asked) == 1)
    time.sleep(0.05)
    assert not waiting.done()
    INTERFERENCE.end(held)
    assert waiting.result().assessment.request_id


def test_what_cannot_be_answered_is_refused_by_its_reason(
    side: OpenInferenceSide, assessor: AssessmentServiceStub
) -> None:
    side.chain.answer = lambda _: unanswered(Reason.QUEUE_FULL)
    failed = failure_of(lambda: assessor.AssessRisk(assess_request(minimum_tier="full"), timeout=PATIENCE_S))
    assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert failed.retry_after_s is not None
    assert failed.trailing["grpc-retry-pushback-ms"]
    infer = GRPCInferenceServiceStub(side.grpc_side.assessor).ModelInfer
    assert failure_of(lambda: infer(sepsis_request(grid(80.0)), timeout=PATIENCE_S)).reason == "QUEUE_FULL"


def test_health_and_reflection_answer_beside_it(side: OpenInferenceSide) -> None:
    channel = side.grpc_side.channel("viewer")
    health: Any = HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S).status
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (listed,) = reflection.ServerReflectionInfo(iter([asked]), timeout=PATIENCE_S)
    assert len(listed.list_services_response.service) > 3


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[OpenInferenceSide, OpenInferenceSide]]:
    """Both at once."""
    with open_inference_side(transport="completion_queue") as lane, open_inference_side(transport="public") as public:
        yield lane, public


def ending(side: OpenInferenceSide, method: str, message: bytes) -> tuple[object, ...]:
    """How a call ends, without what differs from call to call."""
    call: Any = side.grpc_side.assessor.unary_unary(method)
    try:
        call(message, timeout=PATIENCE_S)
    except grpc.RpcError as error:
        failed = read_failure(error)
        return failed.code, failed.reason, failed.fields, sorted(failed.metadata)
    return (grpc.StatusCode.OK,)


def mangled() -> st.SearchStrategy[bytes]:
    """Requests with a few bytes changed, cut or put in, and noise."""
    whole = [
        assess_request().SerializeToString(),
        wire.BatchAssessRiskRequest(requests=[assess_request()]).SerializeToString(),
        sepsis_request(grid(80.0)).SerializeToString(),
    ]
    cut = st.tuples(st.sampled_from(whole), st.integers(0, 400), st.integers(0, 8), st.binary(max_size=8))
    return st.one_of(st.binary(max_size=200), cut.map(lambda parts: _spoilt(*parts)))


def _spoilt(message: bytes, place: int, gone: int, put_in: bytes) -> bytes:
    at = place % len(message)
    return message[:at] + put_in + message[at + gone :]


@settings(max_examples=60, deadline=None)
@given(method=st.sampled_from(UNARY), message=mangled())
def test_whatever_bytes_are_sent_both_end_the_call_in_the_same_way(
    pair: tuple[OpenInferenceSide, OpenInferenceSide], method: str, message: bytes
) -> None:
    lane, public = pair
    assert ending(lane, method, message) == ending(public, method, message)
    assert not lane.grpc_side.recorded.incidents
