"""An `Assessment` of the domain as the wire's, in bytes, with what only the call knows beside it.

Refuses to carry a token: the wire's answer has no field for one.
"""

from dataclasses import dataclass
from functools import lru_cache

from stepdown.api.v1 import assessments_pb2
from stepdown.domain.assessments import Assessment, Risk, TierAttempt, TierIdentity
from stepdown.domain.bundles import ScoreSemantics
from stepdown.domain.intake import DroppedInput, InputFlag, UsedInput
from stepdown.domain.reasons import InputIssue
from stepdown.transport.codec.enumerations import ABSTENTION_REASONS, BANDS, INPUT_ISSUES, REASONS
from stepdown.transport.codec.rules import encode_rules
from stepdown.transport.codec.tiers import encode_degradation, encode_identity
from stepdown.transport.codec.times import duration
from stepdown.transport.codec.wire_bytes import (
    counted,
    double,
    embedded,
    instant,
    tag,
    text,
)

DISCLAIMER = (
    "Not a medical device. For research and demonstration; not for use in the care of patients. "
    "A risk band supports and never replaces clinical judgement."
)
_HOUR_S = 3600.0
_MS = 1000.0
_KEPT_PARTS = 256  # tiers, bundles and channels: what is configured, and no client's text

_REQUEST_ID, _CORRELATION_ID, _PATHWAY, _ANSWERED_BY = (tag(number, "bytes") for number in (1, 2, 3, 5))
_RISK, _ABSTENTION, _DEGRADATIONS, _ATTEMPTS, _RULES = (tag(number, "bytes") for number in (6, 7, 8, 9, 10))
_USED, _DROPPED, _FLAGS, _AS_OF, _GENERATED = (tag(number, "bytes") for number in (12, 13, 14, 15, 16))
_VALID_UNTIL, _TRACE_ID, _RECORD_ID, _DISCLAIMER = (tag(number, "bytes") for number in (17, 18, 20, 21))
_BAND, _DISAGREEMENT, _RECORDED = (tag(number, "number") for number in (4, 11, 19))
_CLOSING = text(_DISCLAIMER, DISCLAIMER)

_FIELD, _CHANNEL, _UNIT, _OBSERVED = (tag(number, "bytes") for number in (1, 2, 4, 5))
_VALUE, _COUNT = tag(3, "double"), tag(6, "number")

_PROBABILITY, _SEMANTICS, _CONTRIBUTIONS = tag(1, "double"), tag(2, "bytes"), tag(3, "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedAssessment:
    """An answer that lacks nothing but its place on the ledger, which stands between its two parts."""

    before: bytes

    @property
    def unsealed(self) -> bytes:
        """The answer as it would go out without a record; what the ledger keeps a digest of."""
        return self.before + _CLOSING

    def sealed(self, record_id: str) -> bytes:
        """The answer as it goes out. `record_id` is its record on the ledger; empty where there is none."""
        return self.before + counted(_RECORDED, bool(record_id)) + text(_RECORD_ID, record_id) + _CLOSING


def encode_assessment(assessment: Assessment, *, trace_id: str) -> EncodedAssessment:
    """The answer, complete but for its record."""
    by, rules = assessment.answered_by, assessment.rules
    parts = [
        text(_REQUEST_ID, assessment.request_id),
        text(_CORRELATION_ID, assessment.correlation_id),
        text(_PATHWAY, assessment.pathway),
        counted(_BAND, BANDS[assessment.band]),
        b"" if by is None else _identity(by),
        _outcome(assessment),
        *[embedded(_DEGRADATIONS, encode_degradation(each).SerializeToString()) for each in assessment.degradations],
        *[_attempt(each) for each in assessment.attempts],
        b"" if rules is None else embedded(_RULES, encode_rules(rules)),
        counted(_DISAGREEMENT, any(flag.issue is InputIssue.RULES_DISAGREE for flag in assessment.flags)),
        *[_used(each) for each in assessment.used],
        *[_dropped(each) for each in assessment.dropped],
        *[_flag(each) for each in assessment.flags],
        instant(_AS_OF, assessment.as_of_time_s),
        instant(_GENERATED, assessment.generated_time_s),
        instant(_VALID_UNTIL, assessment.valid_until_time_s),
        text(_TRACE_ID, trace_id),
    ]
    return EncodedAssessment(before=b"".join(parts))


@lru_cache(maxsize=_KEPT_PARTS)
def _identity(tier: TierIdentity) -> bytes:
    return embedded(_ANSWERED_BY, encode_identity(tier).SerializeToString(deterministic=True))


def _outcome(assessment: Assessment) -> bytes:
    """An abstention wins over a risk: no number may stand beside "no band is given"."""
    abstention = assessment.abstention
    if abstention is not None:
        message = assessments_pb2.Abstention(reason=ABSTENTION_REASONS[abstention.reason], text=abstention.text)
        return embedded(_ABSTENTION, message.SerializeToString())
    return b"" if assessment.risk is None else embedded(_RISK, _risk(assessment.risk))


def _risk(risk: Risk) -> bytes:
    contributions = [
        embedded(
            _CONTRIBUTIONS,
            assessments_pb2.Contribution(channel=each.channel, value=each.value).SerializeToString(),
        )
        for each in risk.contributions
    ]
    return double(_PROBABILITY, risk.probability) + _semantics(risk.semantics) + b"".join(contributions)


@lru_cache(maxsize=_KEPT_PARTS)
def _semantics(semantics: ScoreSemantics) -> bytes:
    message = assessments_pb2.ScoreSemantics(
        output=semantics.output,
        outcome=semantics.outcome,
        horizon=duration(semantics.horizon_h * _HOUR_S),
        population=semantics.population,
        calibration=semantics.calibration,
    )
    return embedded(_SEMANTICS, message.SerializeToString(deterministic=True))


def _attempt(attempt: TierAttempt) -> bytes:
    message = assessments_pb2.TierAttempt(
        tier=attempt.tier,
        reason=None if attempt.outcome is None else REASONS[attempt.outcome],
        elapsed=duration(attempt.elapsed_ms / _MS),
    )
    return embedded(_ATTEMPTS, message.SerializeToString())


def _used(used: UsedInput) -> bytes:
    channel, unit = _channel_and_unit(used.channel, used.unit)
    return embedded(
        _USED,
        text(_FIELD, used.field)
        + channel
        + double(_VALUE, used.value)
        + unit
        + instant(_OBSERVED, used.observed_time_s)
        + counted(_COUNT, used.readings),
    )


@lru_cache(maxsize=_KEPT_PARTS)
def _channel_and_unit(channel: str, unit: str) -> tuple[bytes, bytes]:
    return text(_CHANNEL, channel), text(_UNIT, unit)


def _dropped(dropped: DroppedInput) -> bytes:
    message = assessments_pb2.DroppedInput(
        field=dropped.field,
        channel=dropped.channel,
        issue=INPUT_ISSUES[dropped.issue],
        hint=dropped.hint,
        count=dropped.count,
    )
    return embedded(_DROPPED, message.SerializeToString())


def _flag(flag: InputFlag) -> bytes:
    message = assessments_pb2.InputFlag(
        issue=INPUT_ISSUES[flag.issue], channel=flag.channel, field=flag.field, detail=flag.detail
    )
    return embedded(_FLAGS, message.SerializeToString())
