from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from stepdown.api.v1 import outcomes_pb2 as wire
from stepdown.client.outcomes import FeedbackDetail, feedback_report, outcome_report
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.outcomes import (
    Feedback,
    FeedbackAction,
    FeedbackResponse,
    OutcomeEvent,
    OutcomeLabel,
    OverrideReason,
)
from stepdown.domain.reasons import RejectReason
from stepdown.transport.codec.outcomes import decode_report

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW_S = NOW.timestamp()
ONSET = NOW - timedelta(hours=3)
USER = "u-7f3a"
ANSWER = "hospital.example/ledger/0"


def outcome() -> wire.RecordOutcomeRequest:
    return outcome_report(ANSWER, event="PREDICTED", onset=ONSET, ascertained=NOW)


def feedback() -> wire.RecordOutcomeRequest:
    detail = FeedbackDetail(
        override_reason="ALREADY_TREATED", action="TREATED", user_token=USER, location="ICU-2", comment="on it"
    )
    return feedback_report(ANSWER, response="OVERRIDDEN", given=NOW, detail=detail)


def refusals(message: wire.RecordOutcomeRequest) -> list[tuple[str, RejectReason]]:
    with pytest.raises(RequestRejectedError) as caught:
        decode_report(message, now_s=NOW_S)
    assert caught.value.reason is caught.value.violations[0].reason
    return [(each.field, each.reason) for each in caught.value.violations]


def test_an_event_that_came_about_is_read_with_its_times() -> None:
    assert decode_report(outcome(), now_s=NOW_S) == OutcomeLabel(
        event=OutcomeEvent.PREDICTED, occurred=True, onset_time_s=ONSET.timestamp(), ascertained_time_s=NOW_S
    )


def test_an_event_that_did_not_come_about_has_no_onset() -> None:
    message = outcome_report(ANSWER, event="DEATH", onset=None, ascertained=NOW)
    report = decode_report(message, now_s=NOW_S)
    assert isinstance(report, OutcomeLabel)
    assert (report.event, report.occurred, report.onset_time_s) == (OutcomeEvent.DEATH, False, None)


def test_feedback_is_read_whole() -> None:
    assert decode_report(feedback(), now_s=NOW_S) == Feedback(
        response=FeedbackResponse.OVERRIDDEN,
        override_reason=OverrideReason.ALREADY_TREATED,
        action=FeedbackAction.TREATED,
        feedback_time_s=NOW_S,
        user_token=USER,
        location="ICU-2",
        comment="on it",
    )


def test_feedback_needs_no_more_than_a_response_and_a_time() -> None:
    report = decode_report(feedback_report(ANSWER, response="ACCEPTED", given=NOW), now_s=NOW_S)
    assert isinstance(report, Feedback)
    assert (report.override_reason, report.action, report.comment) == (None, None, "")


def test_an_empty_report_is_told_everything_that_it_lacks() -> None:
    assert refusals(wire.RecordOutcomeRequest()) == [
        ("report_id", RejectReason.ID_REQUIRED),
        ("record_id", RejectReason.ID_REQUIRED),
        ("report", RejectReason.OUTCOME_MALFORMED),
    ]
    bare = wire.RecordOutcomeRequest(report_id="r", record_id=ANSWER, outcome=wire.OutcomeLabel())
    assert [field for field, _ in refusals(bare)] == ["outcome.event", "outcome.occurred", "outcome.ascertained_time"]
    bare = wire.RecordOutcomeRequest(report_id="r", record_id=ANSWER, feedback=wire.Feedback())
    assert [field for field, _ in refusals(bare)] == ["feedback.response", "feedback.feedback_time"]


def _set(path: str, value: object) -> Callable[[wire.RecordOutcomeRequest], None]:
    *way, name = path.split(".")

    def change(message: wire.RecordOutcomeRequest) -> None:
        part: object = message
        for step in way:
            part = getattr(part, step)
        setattr(part, name, value)

    return change


FUTURE_S = int(NOW_S) + 3600


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (_set("report_id", "a b"), "report_id", RejectReason.ID_FORMAT),
        (_set("report_id", "x" * 129), "report_id", RejectReason.ID_FORMAT),
        (_set("outcome.event", 99), "outcome.event", RejectReason.ENUM_UNKNOWN),
        (
            _set("outcome.ascertained_time.seconds", FUTURE_S),
            "outcome.ascertained_time",
            RejectReason.OUTCOME_MALFORMED,
        ),
        (_set("outcome.onset_time.seconds", FUTURE_S), "outcome.onset_time", RejectReason.OUTCOME_MALFORMED),
        (_set("outcome.occurred", False), "outcome.onset_time", RejectReason.OUTCOME_MALFORMED),  # noqa: FBT003
        (
            lambda message: message.outcome.ClearField("onset_time"),
            "outcome.onset_time",
            RejectReason.OUTCOME_MALFORMED,
        ),
    ],
    ids=map(str, range(7)),
)
def test_a_label_that_cannot_be_is_refused_by_field(
    change: Callable[[wire.RecordOutcomeRequest], None], field: str, reason: RejectReason
) -> None:
    message = outcome()
    change(message)
    assert (field, reason) in refusals(message)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (_set("feedback.response", 99), "feedback.response", RejectReason.ENUM_UNKNOWN),
        (_set("feedback.override_reason", 99), "feedback.override_reason", RejectReason.ENUM_UNKNOWN),
        (_set("feedback.override_reason", 0), "feedback.override_reason", RejectReason.OUTCOME_MALFORMED),
        (_set("feedback.response", 1), "feedback.override_reason", RejectReason.OUTCOME_MALFORMED),
        (_set("feedback.action", 99), "feedback.action", RejectReason.ENUM_UNKNOWN),
        (_set("feedback.feedback_time.seconds", FUTURE_S), "feedback.feedback_time", RejectReason.OUTCOME_MALFORMED),
        (_set("feedback.user_token", "Anna Meier"), "feedback.user_token", RejectReason.PHI_SUSPECTED),
        (_set("feedback.location", "bed 3, left"), "feedback.location", RejectReason.ID_FORMAT),
        (_set("feedback.comment", "x" * 2001), "feedback.comment", RejectReason.OUTCOME_MALFORMED),
        (_set("feedback.comment", "ask a.meier@hospital.example"), "feedback.comment", RejectReason.PHI_SUSPECTED),
    ],
    ids=map(str, range(10)),
)
def test_feedback_that_cannot_be_is_refused_by_field(
    change: Callable[[wire.RecordOutcomeRequest], None], field: str, reason: RejectReason
) -> None:
    message = feedback()
    change(message)
    assert (field, reason) in refusals(message)


def test_a_refusal_repeats_nothing_that_was_sent() -> None:
    message = feedback()
    message.feedback.comment = "mrn 12345678 canary"
    with pytest.raises(RequestRejectedError) as caught:
        decode_report(message, now_s=NOW_S)
    assert "canary" not in str(caught.value.violations)
