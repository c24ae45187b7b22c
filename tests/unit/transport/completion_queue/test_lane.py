"""What only the lane does: it looks before it reads, refuses what it cannot begin in time, and lends threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import CallShed
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.transport.completion_queue.context import LaneContext
from stepdown.transport.completion_queue.door import Door
from stepdown.transport.completion_queue.queue import HEAVY_BYTES
from stepdown.transport.completion_queue.work import Work
from stepdown.transport.reception import ReceptionLimits
from stepdown.transport.recording import Recording
from stepdown.transport.servicers.assessment_steps import QuestionsAnswer
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import by_rules, never
from tests.fakes.ledger import FakeLedger
from tests.fakes.open_inference import echoed, grid
from tests.fakes.open_inference_side import open_inference_side
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side
from tests.unit.transport.oip.asking import sepsis_request
from tests.unit.transport.patience import PATIENCE_S, until

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
EMERGENCY = (("stepdown-urgency", "emergency"),)


@contextmanager
def standing_still(side: GrpcSide) -> Iterator[None]:
    """The lane's one thread is held up in the chain, by a call that is answered afterwards."""
    release = threading.Event()

    def hold(request: Request) -> Outcome:
        release.wait(PATIENCE_S)
        return by_rules(request)

    side.chain.answer = hold
    holding = AssessmentServiceStub(side.assessor).AssessRisk.future(assess_request(), timeout=30)
    until(lambda: len(side.chain.asked) == 1)
    yield
    release.set()
    assert holding.result().assessment.request_id


@pytest.mark.parametrize("metadata", [(), EMERGENCY])
def test_what_cannot_be_begun_in_time_is_refused_unread_and_told_when_to_come_back(
    metadata: tuple[tuple[str, str], ...],
) -> None:
    """No time at all for who sets no deadline: a message that is none would be malformed, had anybody read it."""
    with grpc_side(shedding=LoadShedding(maximum_wait_s=0.0)) as side:
        call: Any = side.assessor.unary_unary("/stepdown.api.v1.AssessmentService/AssessRisk")
        failed = failure_of(lambda: call(b"\xff" if metadata else b"", metadata=metadata))
        assert AssessmentServiceStub(side.assessor).AssessRisk(assess_request(), timeout=30).assessment.request_id
    assert (failed.code, failed.reason) == (EXHAUSTED, "OVERLOADED")
    assert failed.retry_after_s == 1.0
    assert failed.trailing["grpc-retry-pushback-ms"] == "1000"
    assert failed.trailing["traceresponse"]
    assert CallShed(urgency=None) in side.recorded.notices


def test_what_came_meanwhile_is_asked_together() -> None:
    with grpc_side() as side:
        stub = AssessmentServiceStub(side.assessor)
        with standing_still(side):
            together = [stub.AssessRisk.future(assess_request(), timeout=30) for _ in range(20)]
            threading.Event().wait(0.2)
        assert len({each.result().assessment.request_id for each in together}) == 20
    assert max(len(batch) for batch in side.chain.submitted) > 1


@pytest.mark.parametrize(("urgency", "asked"), [("URGENCY_EMERGENCY", "emergency"), ("URGENCY_ROUTINE", "routine")])
def test_an_urgency_that_was_declared_is_believed_as_far_as_the_message_goes(urgency: str, asked: str) -> None:
    with grpc_side() as side:
        request = assess_request(urgency=urgency)
        AssessmentServiceStub(side.assessor).AssessRisk(request, timeout=30, metadata=EMERGENCY)
        assert [each.urgency for each in side.chain.asked] == [asked]


def large_batch(count: int = 400) -> wire.BatchAssessRiskRequest:
    batch = wire.BatchAssessRiskRequest(requests=[assess_request() for _ in range(count)])
    assert batch.ByteSize() > HEAVY_BYTES
    return batch


@pytest.mark.parametrize("metadata", [(), EMERGENCY])
def test_a_large_batch_is_answered_by_a_thread_while_the_lane_goes_on(metadata: tuple[tuple[str, str], ...]) -> None:
    with grpc_side() as side:
        stub = AssessmentServiceStub(side.assessor)
        batch = large_batch()
        under_way = stub.BatchAssessRisk.future(batch, timeout=60, metadata=metadata)
        assert stub.AssessRisk(assess_request(), timeout=30).assessment.request_id
        results = under_way.result().results
    assert [each.request_id for each in results] == [each.request_id for each in batch.requests]


def test_a_large_batch_that_is_refused_says_why(side: GrpcSide) -> None:
    stub = AssessmentServiceStub(side.assessor)
    failed = failure_of(lambda: stub.BatchAssessRisk(large_batch(1025), timeout=60))
    assert (failed.code, failed.reason, failed.metadata["maximum_batch"]) == (EXHAUSTED, "TOO_LARGE", "1024")


def test_a_caller_of_a_large_batch_that_leaves_is_withdrawn_and_its_place_is_free_again(side: GrpcSide) -> None:
    stub = AssessmentServiceStub(side.assessor)
    side.chain.answer = never
    for _ in range(3):
        before = len(side.chain.asked)
        call = stub.BatchAssessRisk.future(large_batch(), timeout=60)
        until(lambda before=before: len(side.chain.asked) == before + 400)  # type: ignore[misc]
        call.cancel()
        until(lambda: len(side.chain.cancelled) == len(side.chain.asked))
    side.chain.answer = by_rules
    assert len(stub.BatchAssessRisk(large_batch(), timeout=60).results) == 400


def test_where_no_answer_may_go_out_without_a_record_a_thread_waits_for_that_of_an_inference() -> None:
    ledger = FakeLedger()
    recording = Recording(ledger=ledger, is_required=True, wait_s=PATIENCE_S)
    with open_inference_side(recording=recording) as side:
        side.chain.answer = echoed
        infer = GRPCInferenceServiceStub(side.grpc_side.assessor).ModelInfer
        assert infer(sepsis_request(grid(80.0)), timeout=30).outputs


def test_an_unforeseen_exception_ends_its_call_with_an_incident_and_no_other(
    side: GrpcSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = AssessmentServiceStub(side.assessor)
    with monkeypatch.context() as patched:
        patched.setattr(QuestionsAnswer, "ending", _raise)
        failed = failure_of(lambda: stub.AssessRisk(assess_request(), timeout=30))
    assert (failed.code, failed.metadata) == (grpc.StatusCode.INTERNAL, {"incident_id": "incident-1"})
    assert stub.AssessRisk(assess_request(), timeout=30).assessment.request_id


def test_one_in_a_thread_ends_no_more_either(side: GrpcSide, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = AssessmentServiceStub(side.assessor)
    with monkeypatch.context() as patched:
        patched.setattr(LaneContext, "set_trailing_metadata", _raise)
        failed = failure_of(lambda: stub.BatchAssessRisk(large_batch(), timeout=60))
    assert failed.code is grpc.StatusCode.INTERNAL
    assert len(stub.BatchAssessRisk(large_batch(), timeout=60).results) == 400


def test_an_event_that_cannot_be_understood_is_an_incident_and_others_are_heard(
    side: GrpcSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = AssessmentServiceStub(side.assessor)
    with monkeypatch.context() as patched:
        patched.setattr(Door, "came", _raise)
        stub.AssessRisk.future(assess_request(), timeout=0.2).exception()
    assert side.recorded.incidents
    assert stub.AssessRisk(assess_request(), timeout=30).assessment.request_id


def test_a_caller_who_leaves_many_messages_unsent_begins_no_more() -> None:
    with grpc_side(reception=ReceptionLimits(dawdling=1)) as side:
        call: Any = side.assessor.stream_unary("/stepdown.api.v1.AssessmentService/AssessRisk")
        unsent = threading.Event()

        def messages() -> Iterator[bytes]:
            unsent.wait(PATIENCE_S)
            yield from ()

        dawdling = [call.future(messages(), timeout=60) for _ in range(2)]

        def is_refused() -> bool:
            try:
                AssessmentServiceStub(side.assessor).AssessRisk(assess_request(), timeout=30)
            except grpc.RpcError:
                return True
            return False

        until(is_refused)
        unsent.set()
        assert {failure_of(each.result).code for each in dawdling} <= {
            grpc.StatusCode.INVALID_ARGUMENT,
            EXHAUSTED,
        }


def test_a_fault_in_the_lane_itself_is_an_incident_and_the_lane_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    failing: list[Work] = []
    flawless: Callable[[Work], float] = Work.go_on

    def go_on(work: Work) -> float:
        if work in failing:
            failing.clear()
            raise RuntimeError
        return flawless(work)

    monkeypatch.setattr(Work, "go_on", go_on)
    with grpc_side() as side:
        failing.append(side.listener._server._lane._work)  # type: ignore[attr-defined]  # noqa: SLF001
        until(lambda: not failing)
        assert AssessmentServiceStub(side.assessor).AssessRisk(assess_request(), timeout=30).assessment.request_id
        assert [type(each) for each in side.recorded.incidents] == [RuntimeError]


def _raise(*_: object) -> None:
    raise ValueError
