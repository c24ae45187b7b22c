"""An `Assessment` of the domain as the wire's, with what only the call knows beside it.

Refuses to carry a token: the wire's answer has no field for one.
"""

from stepdown.api.v1 import assessments_pb2
from stepdown.domain.assessments import Assessment, Risk, TierAttempt
from stepdown.domain.intake import DroppedInput, InputFlag, UsedInput
from stepdown.domain.reasons import InputIssue
from stepdown.transport.codec.enumerations import ABSTENTION_REASONS, BANDS, INPUT_ISSUES, REASONS
from stepdown.transport.codec.rules import encode_rules
from stepdown.transport.codec.tiers import encode_degradation, encode_identity
from stepdown.transport.codec.times import duration, timestamp

DISCLAIMER = (
    "Not a medical device. For research and demonstration; not for use in the care of patients. "
    "A risk band supports and never replaces clinical judgement."
)
_HOUR_S = 3600.0
_MS = 1000.0


def encode_assessment(assessment: Assessment, *, trace_id: str, record_id: str = "") -> assessments_pb2.Assessment:
    """The answer, complete. `record_id` is its record on the ledger; empty where there is none."""
    message = assessments_pb2.Assessment(
        request_id=assessment.request_id,
        correlation_id=assessment.correlation_id,
        pathway=assessment.pathway,
        band=BANDS[assessment.band],
        answered_by=None if assessment.answered_by is None else encode_identity(assessment.answered_by),
        degradations=[encode_degradation(each) for each in assessment.degradations],
        attempts=[_attempt(each) for each in assessment.attempts],
        rules_assessment=None if assessment.rules is None else encode_rules(assessment.rules),
        rules_disagreement=any(flag.issue is InputIssue.RULES_DISAGREE for flag in assessment.flags),
        inputs_used=[_used(each) for each in assessment.used],
        inputs_dropped=[_dropped(each) for each in assessment.dropped],
        input_flags=[_flag(each) for each in assessment.flags],
        as_of_time=timestamp(assessment.as_of_time_s),
        generated_time=timestamp(assessment.generated_time_s),
        valid_until_time=timestamp(assessment.valid_until_time_s),
        trace_id=trace_id,
        recorded=bool(record_id),
        record_id=record_id,
        disclaimer=DISCLAIMER,
    )
    _encode_outcome(assessment, message)
    return message


def _encode_outcome(assessment: Assessment, message: assessments_pb2.Assessment) -> None:
    """An abstention wins over a risk: no number may stand beside "no band is given"."""
    if assessment.abstention is not None:
        message.abstention.reason = ABSTENTION_REASONS[assessment.abstention.reason]
        message.abstention.text = assessment.abstention.text
    elif assessment.risk is not None:
        message.risk.CopyFrom(_risk(assessment.risk))


def _risk(risk: Risk) -> assessments_pb2.Risk:
    semantics = assessments_pb2.ScoreSemantics(
        output=risk.semantics.output,
        outcome=risk.semantics.outcome,
        horizon=duration(risk.semantics.horizon_h * _HOUR_S),
        population=risk.semantics.population,
        calibration=risk.semantics.calibration,
    )
    contributions = [
        assessments_pb2.Contribution(channel=each.channel, value=each.value) for each in risk.contributions
    ]
    return assessments_pb2.Risk(probability=risk.probability, semantics=semantics, contributions=contributions)


def _attempt(attempt: TierAttempt) -> assessments_pb2.TierAttempt:
    return assessments_pb2.TierAttempt(
        tier=attempt.tier,
        reason=None if attempt.outcome is None else REASONS[attempt.outcome],
        elapsed=duration(attempt.elapsed_ms / _MS),
    )


def _used(used: UsedInput) -> assessments_pb2.UsedInput:
    return assessments_pb2.UsedInput(
        field=used.field,
        channel=used.channel,
        value=used.value,
        unit=used.unit,
        observed_time=timestamp(used.observed_time_s),
        count=used.count,
    )


def _dropped(dropped: DroppedInput) -> assessments_pb2.DroppedInput:
    return assessments_pb2.DroppedInput(
        field=dropped.field,
        channel=dropped.channel,
        issue=INPUT_ISSUES[dropped.issue],
        hint=dropped.hint,
        count=dropped.count,
    )


def _flag(flag: InputFlag) -> assessments_pb2.InputFlag:
    return assessments_pb2.InputFlag(
        issue=INPUT_ISSUES[flag.issue], channel=flag.channel, field=flag.field, detail=flag.detail
    )
