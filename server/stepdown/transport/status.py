"""The only table from errors to gRPC statuses.

Every status carries `google.rpc.ErrorInfo` with a stable reason; field violations, retry times and unmet preconditions
where there are any. Refuses to pass on the text of an error that is not ours: it could hold a patient's value.
"""

from collections.abc import Mapping
from types import MappingProxyType

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status

from stepdown.domain.errors import FieldViolation, NoAnswerError, RequestRejectedError
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.transport.codec.times import duration
from stepdown.transport.refusals import OVERLOAD_RETRY_S

DOMAIN = "stepdown"
TIER_UNAVAILABLE = "TIER_UNAVAILABLE"
NO_TIER_ANSWERED = "NO_TIER_ANSWERED"
INTERNAL = "INTERNAL_FAULT"
INTERNAL_TEXT = "The server failed. Quote the incident id to its operator."

# Trailers are held to 8 KiB by most clients, in base64.
MAXIMUM_VIOLATIONS = 20
MAXIMUM_TEXT = 160
TIER_RETRY_S = 5.0
PUSH_BACK = "grpc-retry-pushback-ms"

_CODES: Mapping[RejectReason, grpc.StatusCode] = MappingProxyType(
    {
        RejectReason.VALUE_NOT_FINITE: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.AS_OF_REQUIRED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.AS_OF_TOO_OLD: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.AS_OF_IN_FUTURE: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.AGE_REQUIRED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.SUBJECT_MISMATCH: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.PHI_SUSPECTED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.ID_FORMAT: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.ID_REQUIRED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
        RejectReason.SERIES_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.PATHWAY_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        RejectReason.PATHWAY_NOT_CLINICAL: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.TIER_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        RejectReason.BUNDLE_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        RejectReason.ENUM_UNKNOWN: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.STRICT_INPUT: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.REQUEST_IN_PROGRESS: grpc.StatusCode.ABORTED,
        RejectReason.ENCOUNTER_RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        RejectReason.TENSOR_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.TIER_TAKES_NO_TENSORS: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.MESSAGE_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.DETAIL_REQUIRED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.DRILL_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.DRILLS_NOT_PERMITTED: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.DRILL_NOT_POSSIBLE: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.CLIENT_CUT_OFF: grpc.StatusCode.UNAVAILABLE,
        RejectReason.ACTIVATION_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.ACTIVATION_UNDER_WAY: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.ACTIVATION_NOT_POSSIBLE: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.BUNDLE_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.BUNDLE_INCOMPATIBLE: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.SERVER_DRAINING: grpc.StatusCode.UNAVAILABLE,
        RejectReason.LEDGER_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        RejectReason.RECORD_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        RejectReason.RECORD_RANGE_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.CHECKPOINT_PENDING: grpc.StatusCode.UNAVAILABLE,
        RejectReason.OUTCOME_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        RejectReason.OUTCOMES_NOT_KEPT: grpc.StatusCode.FAILED_PRECONDITION,
        RejectReason.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


def code_of(reason: RejectReason) -> grpc.StatusCode:
    """The gRPC code of a refusal."""
    return _CODES[reason]


def rejection_status(error: RequestRejectedError) -> Status:
    """A refused request: every violation, up to a cap that the client is told of."""
    shown = error.violations[:MAXIMUM_VIOLATIONS]
    metadata = {name: str(limit) for name, limit in error.limits.items()}
    if cut := len(error.violations) - len(shown):
        metadata["violations_not_shown"] = str(cut)
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)]
    if shown:
        details.append(BadRequest(field_violations=[_violation(each) for each in shown]))
    if error.retry_after_s is not None:
        details.append(RetryInfo(retry_delay=duration(error.retry_after_s)))
    text = shown[0].description if shown else f"{error.reason}: the request was refused"
    return _status(_CODES[error.reason], text, details)


def no_answer_status(error: NoAnswerError, *, pathway: str, minimum_tier: str) -> Status:
    """No tier that the request accepts could answer.

    Too little time is the deadline's fault, unsuitable input the caller's, and want of room passes; else it is an unmet
    precondition if the caller named a minimum, and our outage if not.
    """
    metadata = {"pathway": pathway, "tier_reason": str(error.reason)}
    if error.reason is Reason.DEADLINE_TOO_SHORT:
        info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
        return _status(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline leaves no tier enough time to answer.", [info])
    if error.reason is Reason.INPUT_UNSUITABLE:
        info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
        return _status(
            grpc.StatusCode.INVALID_ARGUMENT, f"The input suits no tier that is accepted: {error.detail}.", [info]
        )
    if error.reason is Reason.QUEUE_FULL:
        info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
        again = RetryInfo(retry_delay=duration(OVERLOAD_RETRY_S))
        text = "More is waiting for the tiers that are accepted than can be answered in time."
        return _status(grpc.StatusCode.RESOURCE_EXHAUSTED, text, [info, again])
    retry = RetryInfo(retry_delay=duration(TIER_RETRY_S))
    if not minimum_tier:
        info = ErrorInfo(reason=NO_TIER_ANSWERED, domain=DOMAIN, metadata=metadata)
        return _status(
            grpc.StatusCode.UNAVAILABLE, f"No tier of {pathway} could answer: {error.reason}.", [info, retry]
        )
    info = ErrorInfo(reason=TIER_UNAVAILABLE, domain=DOMAIN, metadata=metadata | {"minimum_tier": minimum_tier})
    unmet = PreconditionFailure.Violation(
        type=TIER_UNAVAILABLE,
        subject=f"{pathway}/{minimum_tier}",
        description=f"{error.reason}: {error.detail}"[:MAXIMUM_TEXT],
    )
    text = f"Neither {minimum_tier} nor a better tier of {pathway} can answer now: {error.reason}."
    return _status(grpc.StatusCode.FAILED_PRECONDITION, text, [info, PreconditionFailure(violations=[unmet]), retry])


def push_back(status: Status) -> tuple[tuple[str, str], ...]:
    """The trailer by which gRPC's own retries wait as long as the status says (gRFC A6); none where it says nothing."""
    retry = RetryInfo()
    for detail in status.details:
        if detail.Unpack(retry):
            return ((PUSH_BACK, str(round(retry.retry_delay.ToTimedelta().total_seconds() * 1000))),)
    return ()


def denied_status(*, authenticated: bool) -> Status:
    """UNAUTHENTICATED or PERMISSION_DENIED, without a word about what was looked for."""
    code = grpc.StatusCode.PERMISSION_DENIED if authenticated else grpc.StatusCode.UNAUTHENTICATED
    return _status(code, code.name, [ErrorInfo(reason=code.name, domain=DOMAIN)])


def incident_status(incident_id: str) -> Status:
    """A defect of ours. The text is fixed, whatever the exception said."""
    info = ErrorInfo(reason=INTERNAL, domain=DOMAIN, metadata={"incident_id": incident_id})
    return _status(grpc.StatusCode.INTERNAL, f"{INTERNAL_TEXT} Incident {incident_id}.", [info])


def _violation(violation: FieldViolation) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(
        field=violation.field[:MAXIMUM_TEXT],
        reason=violation.reason,
        description=violation.description[:MAXIMUM_TEXT],
    )


def _status(code: grpc.StatusCode, text: str, details: list[Message]) -> Status:
    packed = []
    for detail in details:
        holder = Any()
        holder.Pack(detail)
        packed.append(holder)
    return Status(code=code.value[0], message=text, details=packed)
