"""What is reported on answers after they were given: what became of the patient, and what was thought of the answer.

Names no patient: a report knows its answer, and nothing else of whom it is about.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class OutcomeEvent(StrEnum):
    """An event that an answer is judged by. PREDICTED is what the answering tier's score is about."""

    PREDICTED = "PREDICTED"
    UNPLANNED_ICU_ADMISSION = "UNPLANNED_ICU_ADMISSION"
    CARDIAC_ARREST = "CARDIAC_ARREST"
    DEATH = "DEATH"


class FeedbackResponse(StrEnum):
    """Whether an answer was followed."""

    ACCEPTED = "ACCEPTED"
    OVERRIDDEN = "OVERRIDDEN"
    IGNORED = "IGNORED"


class OverrideReason(StrEnum):
    """Why an answer was not followed."""

    CLINICAL_JUDGEMENT = "CLINICAL_JUDGEMENT"
    ALREADY_TREATED = "ALREADY_TREATED"
    OTHER_CAUSE = "OTHER_CAUSE"
    INPUT_WRONG = "INPUT_WRONG"
    GOALS_OF_CARE = "GOALS_OF_CARE"
    TOO_LATE = "TOO_LATE"
    OTHER = "OTHER"


class FeedbackAction(StrEnum):
    """What was done after an answer."""

    NONE = "NONE"
    REVIEWED = "REVIEWED"
    MONITORING_INCREASED = "MONITORING_INCREASED"
    TESTS_ORDERED = "TESTS_ORDERED"
    TREATED = "TREATED"
    ESCALATED = "ESCALATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLabel:
    """Whether an event came about. Unix seconds: `onset_time_s` None if it did not; established at the second."""

    event: OutcomeEvent
    occurred: bool
    onset_time_s: float | None
    ascertained_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a clinician thought of an answer (45 CFR 170.315(b)(11)(ii)(C)). The last three are for sealing alone."""

    response: FeedbackResponse
    override_reason: OverrideReason | None
    action: FeedbackAction | None
    feedback_time_s: float
    user_token: str
    location: str
    comment: str


Report: TypeAlias = OutcomeLabel | Feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """An answer that a report is about. `probability` is None where rules answered, or the answer abstained.

    `answered_time_s` is Unix time.
    """

    record_id: str
    pathway: str
    tier: str
    bundle_sha256: str
    band: str
    probability: float | None
    answered_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReport:
    """A report with its answer. One with the `report_id` of an earlier one is the same report, come again."""

    report_id: str
    answer: JudgedAnswer
    report: Report
