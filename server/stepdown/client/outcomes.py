"""Reports on answers: what became of the patient, and what was thought of the answer. Built here, sent by the client.

Refuses to judge a report: the server does, and names each field.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from stepdown.api.v1 import outcomes_pb2 as wire
from stepdown.api.v1.outcomes_pb2 import RecordOutcomeRequest

EVENTS = tuple(name.removeprefix("OUTCOME_EVENT_") for name in wire.OutcomeEvent.keys()[1:])
RESPONSES = tuple(name.removeprefix("FEEDBACK_RESPONSE_") for name in wire.FeedbackResponse.keys()[1:])
OVERRIDE_REASONS = tuple(name.removeprefix("OVERRIDE_REASON_") for name in wire.OverrideReason.keys()[1:])
__all__ = [
    "ACTIONS",
    "EVENTS",
    "OVERRIDE_REASONS",
    "RESPONSES",
    "FeedbackDetail",
    "RecordOutcomeRequest",
    "feedback_report",
    "outcome_report",
]

ACTIONS = tuple(name.removeprefix("FEEDBACK_ACTION_") for name in wire.FeedbackAction.keys()[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackDetail:
    """What may be said beside a response: names from OVERRIDE_REASONS and ACTIONS, opaque tokens, and words."""

    override_reason: str = ""
    action: str = ""
    user_token: str = ""
    location: str = ""
    comment: str = ""


def outcome_report(
    record_id: str, *, event: str, onset: datetime | None, ascertained: datetime, report_id: str = ""
) -> RecordOutcomeRequest:
    """That an event (of EVENTS) came about at `onset`, or with None did not, as established at `ascertained`.

    Times bear their offset. `report_id` empty: a new one. Raises: ValueError for a name that is none.
    """
    label = wire.OutcomeLabel(event=f"OUTCOME_EVENT_{event}", occurred=onset is not None)
    if onset is not None:
        label.onset_time.FromDatetime(onset)
    label.ascertained_time.FromDatetime(ascertained)
    return RecordOutcomeRequest(report_id=report_id or str(uuid.uuid4()), record_id=record_id, outcome=label)


def feedback_report(
    record_id: str, *, response: str, given: datetime, detail: FeedbackDetail | None = None, report_id: str = ""
) -> RecordOutcomeRequest:
    """What was thought of an answer (a name of RESPONSES). Raises: ValueError for a name that is none."""
    detail = detail or FeedbackDetail()
    feedback = wire.Feedback(
        response=f"FEEDBACK_RESPONSE_{response}",
        override_reason=f"OVERRIDE_REASON_{detail.override_reason or 'UNSPECIFIED'}",
        action=f"FEEDBACK_ACTION_{detail.action or 'UNSPECIFIED'}",
        user_token=detail.user_token,
        location=detail.location,
        comment=detail.comment,
    )
    feedback.feedback_time.FromDatetime(given)
    return RecordOutcomeRequest(report_id=report_id or str(uuid.uuid4()), record_id=record_id, feedback=feedback)
