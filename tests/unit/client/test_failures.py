from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, Help, RetryInfo

from stepdown.api.v1.assessment_service_pb2 import ItemFailure
from stepdown.client import AssessmentError


def packed(*messages: Message) -> list[Any]:
    details = []
    for message in messages:
        holder = Any()
        holder.Pack(message)
        details.append(holder)
    return details


def test_every_detail_of_a_failure_can_be_read() -> None:
    fields = [BadRequest.FieldViolation(field="observations[3].value", description="send a finite number")]
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(1250)
    details = packed(ErrorInfo(reason="VALUE_NOT_FINITE"), BadRequest(field_violations=fields), retry)
    error = AssessmentError.of_item(ItemFailure(code=3, message="refused", details=details))
    assert (error.code, error.reason, str(error)) == (
        "INVALID_ARGUMENT",
        "VALUE_NOT_FINITE",
        "INVALID_ARGUMENT VALUE_NOT_FINITE: refused",
    )
    assert error.violations == (("observations[3].value", "send a finite number"),)
    assert error.retry_after_s == 1.25


def test_a_failure_without_details_and_one_with_others_are_read_as_far_as_they_go() -> None:
    bare = AssessmentError.of_item(ItemFailure(code=14, message="gone"))
    other = AssessmentError.of_item(ItemFailure(code=14, message="gone", details=packed(Help())))
    for error in (bare, other):
        assert (error.code, error.reason, error.violations, error.retry_after_s) == ("UNAVAILABLE", "", (), None)
        assert str(error) == "UNAVAILABLE: gone"
