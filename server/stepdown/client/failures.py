"""What a caller gets instead of an answer: the gRPC status with its reason and the fields to mend."""

from typing import TypeVar, cast

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from stepdown.api.v1.assessment_service_pb2 import BatchAssessRiskResult, ItemFailure, StreamAssessRiskResponse
from stepdown.api.v1.assessments_pb2 import Assessment

_PUSHBACK = "grpc-retry-pushback-ms"

Detail = TypeVar("Detail", bound=Message)


class AssessmentError(Exception):
    """There is no answer. `reason` is stable and UPPER_SNAKE; `violations` pairs each field with its remedy.

    `retry_after_s`: not to be asked again before; None: nothing was said of that. `is_final`: the server pushed the
    call back for good, so nobody should be asked again.
    """

    def __init__(
        self, *, code: str, reason: str, message: str, details: tuple[Any, ...], pushback_s: float | None = None
    ) -> None:
        super().__init__(f"{code} {reason}".rstrip() + f": {message}")
        self.code = code
        self.reason = reason
        self.violations = tuple(
            (violation.field, violation.description)
            for bad_request in _unpacked(details, BadRequest)
            for violation in bad_request.field_violations
        )
        self.is_final = pushback_s is not None and pushback_s < 0
        spans_s = [info.retry_delay.ToTimedelta().total_seconds() for info in _unpacked(details, RetryInfo)]
        if pushback_s is not None and pushback_s >= 0:
            spans_s.append(pushback_s)
        self.retry_after_s = max(spans_s, default=None)

    @classmethod
    def of_call(cls, error: grpc.RpcError) -> "AssessmentError":
        """From a failed call."""
        # grpc raises objects that are both an RpcError and a Call, which its types cannot say.
        call = cast("grpc.Call", error)
        status = rpc_status.from_call(call)
        details = tuple(status.details) if status is not None else ()
        return cls(
            code=call.code().name,
            reason=_reason(details),
            message=call.details() or "",
            details=details,
            pushback_s=_pushback_s(call),
        )

    @classmethod
    def of_item(cls, failure: ItemFailure) -> "AssessmentError":
        """From one failed item of a batch or a stream."""
        details = tuple(failure.details)
        return cls(code=Code.Name(failure.code), reason=_reason(details), message=failure.message, details=details)


def settled(result: BatchAssessRiskResult | StreamAssessRiskResponse) -> Assessment | AssessmentError:
    """What became of one item of a batch or a stream."""
    return AssessmentError.of_item(result.failure) if result.HasField("failure") else result.assessment


def _pushback_s(call: grpc.Call) -> float | None:
    """What gRPC's own retries would go by (gRFC A6): a negative or unreadable number forbids any."""
    for name, value in call.trailing_metadata() or ():
        if name == _PUSHBACK:
            text = value.decode() if isinstance(value, bytes) else value
            return int(text) / 1000 if text.isascii() and text.isdigit() else -1.0
    return None


def _reason(details: tuple[Any, ...]) -> str:
    return next((info.reason for info in _unpacked(details, ErrorInfo)), "")


def _unpacked(details: tuple[Any, ...], kind: type[Detail]) -> list[Detail]:
    found = []
    for each in details:
        message = kind()
        if each.Unpack(message):
            found.append(message)
    return found
