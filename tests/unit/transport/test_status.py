from typing import TypeVar

import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import FieldViolation, NoAnswerError, RequestRejectedError
from stepdown.domain.fault_classes import TREATMENTS, FaultClass
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.transport import status as table
from stepdown.transport.refusals import overloaded

Kind = TypeVar("Kind", bound=Message)


def detail(status: Status, kind: type[Kind]) -> Kind:
    """The one detail of that kind."""
    (found,) = (each for each in status.details if each.Is(kind.DESCRIPTOR))
    message = kind()
    assert found.Unpack(message)
    return message


def has(status: Status, kind: type[Message]) -> bool:
    return any(each.Is(kind.DESCRIPTOR) for each in status.details)


def violations(count: int, *, text: str = "mend it") -> tuple[FieldViolation, ...]:
    return tuple(
        FieldViolation(field=f"observations[{place}].unit", reason=RejectReason.STRICT_INPUT, description=text)
        for place in range(count)
    )


@pytest.mark.parametrize("reason", RejectReason)
def test_every_refusal_has_a_row_and_carries_its_reason(reason: RejectReason) -> None:
    status = table.rejection_status(RequestRejectedError(reason=reason, violations=violations(1)))
    assert status.code == table.code_of(reason).value[0] not in {0, StatusCode.INTERNAL.value[0]}
    info = detail(status, ErrorInfo)
    assert (info.reason, info.domain) == (reason, "stepdown")
    assert len(info.reason) <= 63


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (RejectReason.VALUE_NOT_FINITE, StatusCode.INVALID_ARGUMENT),
        (RejectReason.AS_OF_IN_FUTURE, StatusCode.INVALID_ARGUMENT),
        (RejectReason.AS_OF_REQUIRED, StatusCode.INVALID_ARGUMENT),
        (RejectReason.AS_OF_TOO_OLD, StatusCode.INVALID_ARGUMENT),
        (RejectReason.SUBJECT_MISMATCH, StatusCode.INVALID_ARGUMENT),
        (RejectReason.PHI_SUSPECTED, StatusCode.INVALID_ARGUMENT),
        (RejectReason.TOO_LARGE, StatusCode.RESOURCE_EXHAUSTED),
        (RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH, StatusCode.INVALID_ARGUMENT),
        (RejectReason.REQUEST_IN_PROGRESS, StatusCode.ABORTED),
        (RejectReason.ID_FORMAT, StatusCode.INVALID_ARGUMENT),
        (RejectReason.ENCOUNTER_RATE_LIMITED, StatusCode.RESOURCE_EXHAUSTED),
        (RejectReason.PATHWAY_UNKNOWN, StatusCode.NOT_FOUND),
        (RejectReason.SERVER_DRAINING, StatusCode.UNAVAILABLE),
    ],
)
def test_refusals_that_integrations_branch_on_have_the_code_that_the_contract_names(
    reason: RejectReason, code: StatusCode
) -> None:
    assert table.code_of(reason) is code


def test_a_refusal_lists_its_violations_its_limits_and_when_to_try_again() -> None:
    error = RequestRejectedError(
        reason=RejectReason.TOO_LARGE, violations=violations(2), limits={"maximum_batch": 1024}, retry_after_s=1.5
    )
    status = table.rejection_status(error)
    assert status.message == "mend it"
    assert dict(detail(status, ErrorInfo).metadata) == {"maximum_batch": "1024"}
    assert [each.field for each in detail(status, BadRequest).field_violations] == [
        "observations[0].unit",
        "observations[1].unit",
    ]
    assert detail(status, BadRequest).field_violations[0].reason == "STRICT_INPUT"
    assert detail(status, RetryInfo).retry_delay.ToMilliseconds() == 1500


def test_a_refusal_without_violations_says_its_reason() -> None:
    status = table.rejection_status(RequestRejectedError(reason=RejectReason.SERVER_DRAINING, violations=()))
    assert "SERVER_DRAINING" in status.message
    assert not has(status, BadRequest)
    assert not has(status, RetryInfo)


def test_only_the_first_twenty_violations_are_shown_and_the_client_is_told_how_many_were_cut() -> None:
    error = RequestRejectedError(reason=RejectReason.STRICT_INPUT, violations=violations(50))
    status = table.rejection_status(error)
    assert len(detail(status, BadRequest).field_violations) == 20
    assert detail(status, ErrorInfo).metadata["violations_not_shown"] == "30"


@given(st.integers(0, 200), st.text(max_size=2000))
def test_a_refusal_fits_into_the_trailers_that_clients_accept(count: int, text: str) -> None:
    error = RequestRejectedError(reason=RejectReason.STRICT_INPUT, violations=violations(count, text=text))
    # Base64 makes four bytes of three, and 8 KiB hold the other trailers too.
    assert table.rejection_status(error).ByteSize() * 4 / 3 < 7 * 1024


def test_a_tier_outage_is_a_failed_precondition_for_the_caller_that_named_a_minimum() -> None:
    error = NoAnswerError(reason=Reason.WORKER_LOST, detail="signal 9")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier="full")
    assert status.code == StatusCode.FAILED_PRECONDITION.value[0]
    info = detail(status, ErrorInfo)
    assert info.reason == "TIER_UNAVAILABLE"
    assert dict(info.metadata) == {"pathway": "sepsis", "minimum_tier": "full", "tier_reason": "WORKER_LOST"}
    (unmet,) = detail(status, PreconditionFailure).violations
    assert (unmet.type, unmet.subject) == ("TIER_UNAVAILABLE", "sepsis/full")
    assert detail(status, RetryInfo).retry_delay.ToSeconds() > 0


def test_a_tier_outage_is_unavailability_for_everyone_else() -> None:
    error = NoAnswerError(reason=Reason.WORKER_LOST, detail="")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier="")
    assert status.code == StatusCode.UNAVAILABLE.value[0]
    assert detail(status, ErrorInfo).metadata["tier_reason"] == "WORKER_LOST"
    assert has(status, RetryInfo)
    assert not has(status, PreconditionFailure)


@pytest.mark.parametrize("minimum_tier", ["", "full"])
def test_input_that_suits_no_tier_is_the_callers_to_mend(minimum_tier: str) -> None:
    error = NoAnswerError(reason=Reason.INPUT_UNSUITABLE, detail="full: input checks: OUT_OF_RANGE")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier=minimum_tier)
    assert status.code == StatusCode.INVALID_ARGUMENT.value[0]
    assert "OUT_OF_RANGE" in status.message


@pytest.mark.parametrize("minimum_tier", ["", "full"])
def test_too_little_time_is_the_deadlines_fault(minimum_tier: str) -> None:
    error = NoAnswerError(reason=Reason.DEADLINE_TOO_SHORT, detail="")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier=minimum_tier)
    assert status.code == StatusCode.DEADLINE_EXCEEDED.value[0]
    assert detail(status, ErrorInfo).reason == "DEADLINE_TOO_SHORT"


@pytest.mark.parametrize("authenticated", [True, False])
def test_a_denied_call_is_told_nothing_but_the_code(*, authenticated: bool) -> None:
    status = table.denied_status(authenticated=authenticated)
    code = StatusCode.PERMISSION_DENIED if authenticated else StatusCode.UNAUTHENTICATED
    assert (status.code, status.message) == (code.value[0], code.name)
    assert dict(detail(status, ErrorInfo).metadata) == {}


def test_an_incident_is_a_fixed_text_and_an_id() -> None:
    status = table.incident_status("abc123")
    assert status.code == StatusCode.INTERNAL.value[0]
    assert status.message == f"{table.INTERNAL_TEXT} Incident abc123."
    assert detail(status, ErrorInfo).metadata["incident_id"] == "abc123"


@pytest.mark.parametrize("minimum_tier", ["", "full"])
def test_want_of_room_passes_and_says_when_to_try_again(minimum_tier: str) -> None:
    error = NoAnswerError(reason=Reason.QUEUE_FULL, detail="full: no room")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier=minimum_tier)
    assert status.code == StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert table.push_back(status) == (("grpc-retry-pushback-ms", "1000"),)


def test_overload_is_a_typed_refusal_with_push_back() -> None:
    status = table.rejection_status(overloaded())
    assert status.code == StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert (detail(status, ErrorInfo).reason, detail(status, RetryInfo).retry_delay.seconds) == ("OVERLOADED", 1)
    assert table.push_back(status) == (("grpc-retry-pushback-ms", "1000"),)


def test_what_trying_again_would_not_mend_pushes_nobody_back() -> None:
    assert table.push_back(table.denied_status(authenticated=True)) == ()


@pytest.mark.parametrize("reason", [each for each, row in TREATMENTS.items() if row.fault_class is FaultClass.DEVICE])
@pytest.mark.parametrize("minimum_tier", ["", "full"])
def test_a_devices_fault_is_never_called_the_callers(reason: Reason, minimum_tier: str) -> None:
    error = NoAnswerError(reason=reason, detail="")
    status = table.no_answer_status(error, pathway="sepsis", minimum_tier=minimum_tier)
    assert status.code != StatusCode.INVALID_ARGUMENT.value[0]
