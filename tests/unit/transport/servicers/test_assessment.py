import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from queue import SimpleQueue

import grpc
import pytest

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.api.v1.outcomes_pb2 import RecordOutcomeRequest
from stepdown.client import AssessmentError
from stepdown.client.outcomes import feedback_report
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.transport.assessment_stream import UNDER_WAY
from stepdown.transport.servicers.assessment import MAXIMUM_BATCH
from tests.fakes.assess_requests import ENCOUNTER, SUBJECT, assess_request
from tests.fakes.chain import FakeChain, by_rules, never
from tests.fakes.clinical_pathways import by_model, clinical_pathway
from tests.fakes.ledger import FakeLedger
from tests.fakes.outcome_desks import ANSWER, outcome_desk
from tests.unit.transport.failures import failure_of, item_failure
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PATIENCE_S = 10.0


def stub(side: GrpcSide) -> AssessmentServiceStub:
    return AssessmentServiceStub(side.assessor)


class Holding:
    """A chain's answer that is held back until the test lets it go."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[Request] = SimpleQueue()

    def __call__(self, request: Request) -> None:
        self.asked.put(request)

    def next(self) -> Request:
        return self.asked.get(timeout=PATIENCE_S)


def raw_stream(side: GrpcSide) -> Callable[..., Iterator[bytes]]:
    """StreamAssessRisk with bytes in place of messages."""
    return side.assessor.stream_stream("/stepdown.api.v1.AssessmentService/StreamAssessRisk")


def no_answer(_: Request) -> Outcome:
    return Outcome(answered_by=None, result=None, degradations=(), attempts=(), failure=Reason.PROVIDER_UNAVAILABLE)


def test_one_encounter_is_answered_with_its_trace_in_the_answer_and_behind_it(side: GrpcSide) -> None:
    side.chain.answer = lambda _: by_model(0.01)
    request = assess_request()
    response, call = stub(side).AssessRisk.with_call(request, timeout=5, metadata=(("traceparent", TRACEPARENT),))
    assert response.assessment.request_id == request.request_id
    assert response.assessment.correlation_id == "order-17"
    assert response.assessment.trace_id == TRACEPARENT.split("-")[1]
    assert str(dict(call.trailing_metadata())["traceresponse"]).startswith(f"00-{response.assessment.trace_id}-")


def test_no_byte_of_an_answer_holds_a_token(side: GrpcSide) -> None:
    response = stub(side).AssessRisk(assess_request(), timeout=5)
    for token in (SUBJECT, ENCOUNTER):
        assert token.encode() not in response.SerializeToString()


def test_a_refusal_carries_its_violations_and_the_trace(side: GrpcSide) -> None:
    failed = failure_of(
        lambda: stub(side).AssessRisk(
            assess_request(subject_token=""), timeout=5, metadata=(("traceparent", TRACEPARENT),)
        )
    )
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ID_REQUIRED")
    assert failed.fields == ("subject_token",)
    assert failed.trailing["traceresponse"].startswith(TRACEPARENT[:35])


def test_a_minimum_tier_that_cannot_answer_is_a_failed_precondition_with_a_time_to_retry(side: GrpcSide) -> None:
    """Row 29."""
    side.chain.answer = no_answer
    failed = failure_of(lambda: stub(side).AssessRisk(assess_request(minimum_tier="full"), timeout=5))
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TIER_UNAVAILABLE")
    assert failed.unmet == ("TIER_UNAVAILABLE",)
    assert failed.retry_after_s == 5.0


def test_a_call_without_a_deadline_is_answered_within_the_budget() -> None:
    """Row 28."""
    with grpc_side(chain=FakeChain(answer=never), pathway=clinical_pathway(budget_ms=50)) as side:
        response = stub(side).AssessRisk(assess_request())
    assert response.assessment.answered_by.tier == "rules"


def test_a_caller_that_leaves_is_not_waited_for(side: GrpcSide) -> None:
    holding = Holding()
    side.chain.answer = holding
    call = stub(side).AssessRisk.future(assess_request(), timeout=60)
    request = holding.next()
    call.cancel()
    assert side.listener.drain(PATIENCE_S) == 0
    assert side.chain.cancelled == [request]
    assert len(side.claims.released) == 1


def test_a_batch_answers_each_in_its_place_and_one_refusal_fails_no_other(side: GrpcSide) -> None:
    requests = [assess_request(), assess_request(pathway="unheard-of"), assess_request(vitals=False)]
    response = stub(side).BatchAssessRisk(wire.BatchAssessRiskRequest(requests=requests), timeout=5)
    assert [result.request_id for result in response.results] == [request.request_id for request in requests]
    assert [result.WhichOneof("result") for result in response.results] == ["assessment", "failure", "assessment"]
    failed = item_failure(response.results[1].failure)
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN")
    assert [len(batch) for batch in side.chain.submitted] == [1]


def test_an_empty_batch_has_no_answers(side: GrpcSide) -> None:
    assert list(stub(side).BatchAssessRisk(wire.BatchAssessRiskRequest(), timeout=5).results) == []


def test_a_batch_holds_a_thousand_and_twenty_four_and_not_one_more(side: GrpcSide) -> None:
    """Row 26."""
    batch = wire.BatchAssessRiskRequest(requests=[assess_request(vitals=False) for _ in range(MAXIMUM_BATCH)])
    assert len(stub(side).BatchAssessRisk(batch, timeout=60).results) == MAXIMUM_BATCH
    batch.requests.add()
    failed = failure_of(lambda: stub(side).BatchAssessRisk(batch, timeout=60))
    assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
    assert failed.metadata == {"maximum_batch": "1024"}


def test_a_batch_whose_chain_is_silent_is_answered_by_the_rules(side: GrpcSide) -> None:
    side.chain.answer = never
    batch = wire.BatchAssessRiskRequest(requests=[assess_request(), assess_request()])
    results = stub(side).BatchAssessRisk(batch).results
    assert [result.assessment.answered_by.tier for result in results] == ["rules", "rules"]


class Sending:
    """A stream's requests, sent one by one as the test says."""

    def __init__(self, side: GrpcSide, timeout: float | None = 60.0) -> None:
        self._requests: SimpleQueue[wire.StreamAssessRiskRequest | None] = SimpleQueue()
        self.answers = stub(side).StreamAssessRisk(iter(self._requests.get, None), timeout=timeout)

    def send(self, request: wire.AssessRiskRequest) -> str:
        self._requests.put(wire.StreamAssessRiskRequest(request=request))
        return request.request_id

    def finish(self) -> None:
        self._requests.put(None)


def test_a_stream_answers_in_the_order_of_readiness(side: GrpcSide) -> None:
    holding = Holding()
    side.chain.answer = holding
    stream = Sending(side)
    first, second = stream.send(assess_request()), stream.send(assess_request())
    held = holding.next(), holding.next()
    for request, expected in ((held[1], second), (held[0], first)):
        side.chain.release(request, by_rules(request))
        assert next(stream.answers).request_id == expected
    stream.finish()
    assert list(stream.answers) == []


def test_one_refusal_does_not_end_a_stream(side: GrpcSide) -> None:
    stream = Sending(side)
    stream.send(assess_request(pathway="unheard-of"))
    assert item_failure(next(stream.answers).failure).reason == "PATHWAY_UNKNOWN"
    stream.send(assess_request())
    assert next(stream.answers).WhichOneof("result") == "assessment"
    stream.finish()
    assert list(stream.answers) == []


def test_a_stream_reads_no_further_than_it_answers() -> None:
    holding = Holding()
    with grpc_side(chain=FakeChain(answer=holding), pathway=clinical_pathway(budget_ms=30_000)) as side:
        stream = Sending(side)
        sent = [stream.send(assess_request()) for _ in range(UNDER_WAY + 1)]
        held = [holding.next() for _ in range(UNDER_WAY)]
        assert holding.asked.empty()
        side.chain.release(held[5], by_rules(held[5]))
        assert next(stream.answers).request_id == sent[5]
        assert holding.next() is not None
        stream.answers.cancel()


def test_an_encounter_of_a_stream_that_nobody_answers_in_its_budget_is_answered_by_the_rules() -> None:
    with grpc_side(chain=FakeChain(answer=never), pathway=clinical_pathway(budget_ms=50)) as side:
        stream = Sending(side)
        sent = {stream.send(assess_request()) for _ in range(3)}
        answers = [next(stream.answers) for _ in range(3)]
        stream.finish()
        assert list(stream.answers) == []
    assert {answer.request_id for answer in answers} == sent
    assert {answer.assessment.answered_by.tier for answer in answers} == {"rules"}


def test_a_client_that_leaves_its_stream_withdraws_what_is_under_way(side: GrpcSide) -> None:
    holding = Holding()
    side.chain.answer = holding
    stream = Sending(side)
    stream.send(assess_request())
    request = holding.next()
    stream.answers.cancel()
    assert side.listener.drain(PATIENCE_S) == 0
    assert side.chain.cancelled == [request]
    assert len(side.claims.released) == 1


def test_a_stream_in_a_drain_answers_what_is_under_way_and_then_says_where_it_stands(side: GrpcSide) -> None:
    holding = Holding()
    side.chain.answer = holding
    stream = Sending(side)
    under_way = stream.send(assess_request())
    request = holding.next()
    left: list[int] = []
    drain = threading.Thread(target=lambda: left.append(side.listener.drain(PATIENCE_S)))
    drain.start()
    side.chain.release(request, by_rules(request))
    assert next(stream.answers).request_id == under_way
    failed = failure_of(lambda: next(stream.answers))
    drain.join(PATIENCE_S)
    assert (failed.code, failed.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    assert failed.retry_after_s == 1.0
    assert left == [0]


def test_a_malformed_message_ends_a_stream_with_a_reason(side: GrpcSide) -> None:
    failed = failure_of(lambda: list(raw_stream(side)(iter([b"\xff\xff"]), timeout=10)))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_MALFORMED")


def test_a_stream_beyond_the_limit_is_turned_away_and_a_unary_call_is_not() -> None:
    with grpc_side(streams=1) as side:
        first = Sending(side)
        first.send(assess_request())
        next(first.answers)
        failed = failure_of(lambda: next(Sending(side).answers))
        assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
        assert failed.metadata == {"maximum_streams": "1"}
        assert stub(side).AssessRisk(assess_request(), timeout=5).assessment.request_id
        first.finish()


def test_a_report_on_an_answer_is_on_the_ledger_when_the_call_succeeds() -> None:
    ledger = FakeLedger()
    with grpc_side(outcomes=outcome_desk(ledger)) as side:
        report = feedback_report(ANSWER, response="ACCEPTED", given=datetime.now(tz=UTC))
        answer = AssessmentServiceStub(side.assessor).RecordOutcome(report)
    assert answer.record_id == "hospital.example/ledger/0"
    assert ledger.drafts[0].facts["caller"] == "spiffe://stepdown.demo/assessor/test"


def test_a_server_without_a_ledger_refuses_reports() -> None:
    with grpc_side() as side, pytest.raises(grpc.RpcError) as caught:
        AssessmentServiceStub(side.assessor).RecordOutcome(RecordOutcomeRequest())
    assert AssessmentError.of_call(caught.value).reason == "OUTCOMES_NOT_KEPT"
