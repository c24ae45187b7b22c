"""What a caller gets instead of an answer: the gRPC status with its reason and the fields to mend."""

from typing import TypeVar, cast

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from stepdown.api.v1.assessment_service_pb2 import ItemFailure

Detail = TypeVar("Detail", bound=Message)


class AssessmentError(Exception):
    """There is no answer. `reason` is stable and UPPER_SNAKE; `violations` pairs each field with its remedy."""

    def __init__(self, *, code: str, reason: str, message: str, details: tuple[Any, ...]) -> None:
        super().__init__(f"{code} {reason}".rstrip() + f": {message}")
        self.code = code
        self.reason = reason
        self.violations = tuple(
            (violation.field, violation.description)
            for bad_request in _unpacked(details, BadRequest)
            for violation in bad_request.field_violations
        )
        retry = next((info.retry_delay.ToTimedelta() for info in _unpacked(details, RetryInfo)), None)
        self.retry_after_s = retry.total_seconds() if retry is not None else None

    @classmethod
    def of_call(cls, error: grpc.RpcError) -> "AssessmentError":
        """From a failed call."""
        # grpc raises objects that are both an RpcError and a Call, which its types cannot say.
        call = cast("grpc.Call", error)
        status = rpc_status.from_call(call)
        details = tuple(status.details) if status is not None else ()
        return cls(code=call.code().name, reason=_reason(details), message=call.details() or "", details=details)

    @classmethod
    def of_item(cls, failure: ItemFailure) -> "AssessmentError":
        """From one failed item of a batch or a stream."""
        details = tuple(failure.details)
        return cls(code=Code.Name(failure.code), reason=_reason(details), message=failure.message, details=details)


def _reason(details: tuple[Any, ...]) -> str:
    return next((info.reason for info in _unpacked(details, ErrorInfo)), "")


def _unpacked(details: tuple[Any, ...], kind: type[Detail]) -> list[Detail]:
    found = []
    for each in details:
        message = kind()
        if each.Unpack(message):
            found.append(message)
    return found
