import grpc
import pytest

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.errors import RequestRejectedError
from stepdown.transport.held_bytes import HeldBytes
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import by_rules, never
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import grpc_side
from tests.unit.transport.patience import until


def test_what_one_caller_holds_is_bounded_and_another_still_has_room() -> None:
    held = HeldBytes(limit=100, caller_limit=50)
    held.admit("one", 40)
    with pytest.raises(RequestRejectedError) as refused:
        held.admit("one", 20)
    assert refused.value.limits == {"maximum_held_bytes_of_a_caller": 50}
    assert refused.value.retry_after_s is not None
    held.admit("other", 40)
    held.release("one", 40)
    held.admit("one", 20)
    assert held.total == 60


def test_what_all_callers_hold_is_bounded() -> None:
    held = HeldBytes(limit=100, caller_limit=80)
    held.admit("one", 60)
    with pytest.raises(RequestRejectedError) as refused:
        held.admit("other", 60)
    assert refused.value.limits == {"maximum_held_bytes": 100}


def test_an_answer_is_never_refused_and_counts_against_what_comes_next() -> None:
    held = HeldBytes(limit=100, caller_limit=50)
    held.hold("one", 1000)
    with pytest.raises(RequestRejectedError):
        held.admit("one", 1)
    held.release("one", 1000)
    held.admit("one", 1)


def test_the_only_message_of_a_caller_is_admitted_whatever_its_size() -> None:
    """Its own limit has been checked before; a share smaller than that must not shut it out for good."""
    held = HeldBytes(limit=100, caller_limit=50)
    held.admit("one", 99)
    held.release("one", 99)
    assert held.total == 0


def test_a_caller_whose_share_is_full_is_told_so_and_another_is_answered() -> None:
    size = assess_request().ByteSize()
    with grpc_side(held_bytes=5 * size) as side:
        side.chain.answer = never
        stub = AssessmentServiceStub(side.assessor)
        first = [stub.AssessRisk.future(assess_request(), timeout=30) for _ in range(2)]
        until(lambda: len(side.chain.asked) == 2)
        failed = failure_of(lambda: stub.AssessRisk(assess_request(), timeout=30))
        assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
        assert failed.retry_after_s is not None
        held = side.chain.asked
        side.chain.answer = by_rules
        for request in held:
            side.chain.release(request, by_rules(request))
        other = AssessmentServiceStub(side.channel(identity="spiffe://stepdown.demo/assessor/other"))
        assert other.AssessRisk(assess_request(), timeout=30).assessment.request_id
        assert {each.result().assessment.answered_by.tier for each in first} == {"rules"}
