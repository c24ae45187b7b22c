"""Reports on answers, from the wire: every field judged, nothing repeated in a refusal."""

from collections.abc import Iterator, Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from stepdown.api.v1 import outcomes_pb2 as wire
from stepdown.clinical.identifiers import identifying_pattern
from stepdown.clinical.text_checks import identifier_violations, token_violations
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.outcomes import Feedback, FeedbackResponse, OutcomeLabel, Report
from stepdown.domain.reasons import RejectReason
from stepdown.transport.codec import enumerations
from stepdown.transport.codec.times import unix_s

LONGEST_IDENTIFIER = 128
LONGEST_COMMENT = 2_000
CLOCK_SKEW_S = 60.0
"""How far ahead a reporter's clock may be."""


def decode_report(message: wire.RecordOutcomeRequest, *, now_s: float) -> Report:
    """The report. Raises: RequestRejectedError with every violation; its reason is the first one's."""
    violations = tuple(_violations(message, now_s))
    if violations:
        raise RequestRejectedError(reason=violations[0].reason, violations=violations)
    if message.HasField("outcome"):
        return _outcome(message.outcome)
    return _feedback(message.feedback)


def _outcome(said: wire.OutcomeLabel) -> OutcomeLabel:
    return OutcomeLabel(
        event=enumerations.OUTCOME_EVENTS[said.event],
        occurred=said.occurred,
        onset_time_s=unix_s(said.onset_time) if said.occurred else None,
        ascertained_time_s=unix_s(said.ascertained_time),
    )


def _feedback(said: wire.Feedback) -> Feedback:
    return Feedback(
        response=enumerations.FEEDBACK_RESPONSES[said.response],
        override_reason=enumerations.OVERRIDE_REASONS.get(said.override_reason),
        action=enumerations.FEEDBACK_ACTIONS.get(said.action),
        feedback_time_s=unix_s(said.feedback_time),
        user_token=said.user_token,
        location=said.location,
        comment=said.comment,
    )


def _violations(message: wire.RecordOutcomeRequest, now_s: float) -> Iterator[FieldViolation]:
    yield from identifier_violations("report_id", message.report_id, maximum=LONGEST_IDENTIFIER, required=True)
    if not message.record_id:
        yield FieldViolation(field="record_id", reason=RejectReason.ID_REQUIRED, description="required")
    if message.HasField("outcome"):
        yield from _outcome_violations(message.outcome, now_s)
    elif message.HasField("feedback"):
        yield from _feedback_violations(message.feedback, now_s)
    else:
        yield _malformed("report", "set `outcome` or `feedback`")


def _outcome_violations(said: wire.OutcomeLabel, now_s: float) -> Iterator[FieldViolation]:
    yield from _member("outcome.event", said.event, enumerations.OUTCOME_EVENTS, required=True)
    if not said.HasField("occurred"):
        yield _malformed("outcome.occurred", "required: say whether it came about")
    yield from _time("outcome.ascertained_time", said.ascertained_time, now_s, given=said.HasField("ascertained_time"))
    if said.HasField("onset_time") is not said.occurred:
        yield _malformed("outcome.onset_time", "required if the event came about, and not set if it did not")
    elif said.occurred and unix_s(said.onset_time) > unix_s(said.ascertained_time):
        yield _malformed("outcome.onset_time", "must not be after `ascertained_time`")


def _feedback_violations(said: wire.Feedback, now_s: float) -> Iterator[FieldViolation]:
    yield from _member("feedback.response", said.response, enumerations.FEEDBACK_RESPONSES, required=True)
    yield from _member("feedback.override_reason", said.override_reason, enumerations.OVERRIDE_REASONS)
    yield from _member("feedback.action", said.action, enumerations.FEEDBACK_ACTIONS)
    is_overridden = enumerations.FEEDBACK_RESPONSES.get(said.response) is FeedbackResponse.OVERRIDDEN
    if is_overridden is not bool(said.override_reason):
        yield _malformed("feedback.override_reason", "required if the answer was overridden, and not set if it was not")
    yield from _time("feedback.feedback_time", said.feedback_time, now_s, given=said.HasField("feedback_time"))
    if said.user_token:
        yield from token_violations("feedback.user_token", said.user_token, maximum=LONGEST_IDENTIFIER)
    yield from identifier_violations("feedback.location", said.location, maximum=LONGEST_IDENTIFIER)
    yield from _comment(said.comment)


def _comment(text: str) -> Iterator[FieldViolation]:
    if len(text) > LONGEST_COMMENT:
        yield _malformed("feedback.comment", f"longer than {LONGEST_COMMENT} characters")
    elif suspicion := identifying_pattern(text):
        description = f"holds {suspicion}: leave it out"
        yield FieldViolation(field="feedback.comment", reason=RejectReason.PHI_SUSPECTED, description=description)


def _member(
    field: str, number: int, members: Mapping[int, object], *, required: bool = False
) -> Iterator[FieldViolation]:
    if not number:
        if required:
            yield _malformed(field, "required")
    elif number not in members:
        text = "a number that this version of stepdown.api.v1 does not name"
        yield FieldViolation(field=field, reason=RejectReason.ENUM_UNKNOWN, description=text)


def _time(field: str, said: Timestamp, now_s: float, *, given: bool) -> Iterator[FieldViolation]:
    if not given:
        yield _malformed(field, "required")
    elif unix_s(said) > now_s + CLOCK_SKEW_S:
        yield _malformed(field, "must not be in the future: check the clock of the sender")


def _malformed(field: str, description: str) -> FieldViolation:
    return FieldViolation(field=field, reason=RejectReason.OUTCOME_MALFORMED, description=description)
