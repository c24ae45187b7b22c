"""The codec's other half, written from the wire contract alone: what a client would do, so that a law can be tested.

`write_request` is the inverse of `decode_request`, `read_assessment` of `encode_assessment`.
"""

from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from stepdown.api.v1 import assessments_pb2, observations_pb2, rules_assessment_pb2, tiers_pb2
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.assessments import (
    Abstention,
    Assessment,
    Contribution,
    Degradation,
    Risk,
    TierAttempt,
    TierIdentity,
)
from stepdown.domain.bands import Band
from stepdown.domain.bundles import BundleIdentity, ScoreSemantics
from stepdown.domain.intake import DroppedInput, InputFlag, InputStatus, UsedInput
from stepdown.domain.observations import (
    ClinicalRequest,
    Comparator,
    IcuUnit,
    Indication,
    Observation,
    ObservationSeries,
)
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason
from stepdown.domain.scores import ParameterScore, RulesAssessment, ScoreResult
from stepdown.domain.tiers import ExecutionProvider

Value = TypeVar("Value")

COMPARATORS = {
    Comparator.NONE: "COMPARATOR_UNSPECIFIED",
    Comparator.LESS: "COMPARATOR_LESS",
    Comparator.LESS_OR_EQUAL: "COMPARATOR_LESS_OR_EQUAL",
    Comparator.GREATER: "COMPARATOR_GREATER",
    Comparator.GREATER_OR_EQUAL: "COMPARATOR_GREATER_OR_EQUAL",
}
ICU_UNITS = {
    IcuUnit.UNKNOWN: "ICU_UNIT_UNSPECIFIED",
    IcuUnit.MEDICAL: "ICU_UNIT_MEDICAL",
    IcuUnit.SURGICAL: "ICU_UNIT_SURGICAL",
}


def write_time(unix_s: float | None) -> Timestamp | None:
    """The contract's instant."""
    if unix_s is None:
        return None
    nanos = round(unix_s * 1_000_000) * 1000
    return Timestamp(seconds=nanos // 10**9, nanos=nanos % 10**9)


def read_time(timestamp: Timestamp) -> float:
    """Unix seconds to the microsecond."""
    return (timestamp.seconds * 10**6 + round(timestamp.nanos / 1000)) / 10**6


def write_request(request: ClinicalRequest) -> AssessRiskRequest:
    """What a client would send to mean this."""
    return AssessRiskRequest(
        request_id=request.request_id,
        pathway=request.pathway,
        subject_token=request.subject_token,
        encounter_token=request.encounter_token,
        as_of_time=write_time(request.as_of_time_s),
        indication=_write_indication(request.indication),
        observations=[_write_observation(each) for each in request.observations],
        series=[_write_series(each) for each in request.series],
        minimum_tier=request.minimum_tier,
        urgency=f"URGENCY_{request.urgency.name}",
        strict=request.strict,
        replay=request.replay,
        want_contributions=request.want_contributions,
        correlation_id=request.correlation_id,
    )


def _write_indication(indication: Indication) -> observations_pb2.Indication:
    return observations_pb2.Indication(
        age_years=indication.age_years,
        sex=f"SEX_{indication.sex.name}",
        pregnancy=f"PREGNANCY_{indication.pregnancy.name}",
        care_setting=f"CARE_SETTING_{indication.care_setting.name}",
        spo2_scale=f"SPO2_SCALE_{indication.spo2_scale}",
        spo2_scale_2_confirmed=indication.spo2_scale_2_confirmed,
        suspected_infection=indication.suspected_infection,
        spinal_cord_injury=indication.spinal_cord_injury,
        treatment_limits=indication.treatment_limits,
        hospital_admission_time=write_time(indication.hospital_admission_time_s),
        icu_admission_time=write_time(indication.icu_admission_time_s),
        icu_unit=ICU_UNITS[indication.icu_unit],
    )


def _write_observation(observation: Observation) -> observations_pb2.Observation:
    return observations_pb2.Observation(
        code_system=observation.code_system,
        code=observation.code,
        value=observation.value,
        coded_value=observation.coded_value or None,
        unit=observation.unit,
        effective_time=write_time(observation.effective_time_s),
        issued_time=write_time(observation.issued_time_s),
        status=f"OBSERVATION_STATUS_{observation.status.name}",
        comparator=COMPARATORS[observation.comparator],
        source=observation.source,
        encounter_token=observation.encounter_token,
        subject_token=observation.subject_token,
        absent_reason=observation.absent_reason,
        time_ambiguous=observation.time_ambiguous,
    )


def _write_series(series: ObservationSeries) -> observations_pb2.ObservationSeries:
    base_s = series.times_s[0] if series.times_s else 0.0
    return observations_pb2.ObservationSeries(
        code_system=series.code_system,
        code=series.code,
        unit=series.unit,
        base_time=write_time(base_s),
        offsets_ms=[round((time_s - base_s) * 1000) for time_s in series.times_s],
        values=series.values,
        source=series.source,
    )


def read_assessment(message: assessments_pb2.Assessment) -> Assessment:
    """What a client would understand."""
    outcome = message.WhichOneof("outcome")
    return Assessment(
        request_id=message.request_id,
        correlation_id=message.correlation_id,
        pathway=message.pathway,
        band=Band(message.band),
        answered_by=_read_identity(message.answered_by) if message.HasField("answered_by") else None,
        risk=_read_risk(message.risk) if outcome == "risk" else None,
        abstention=_read_abstention(message.abstention) if outcome == "abstention" else None,
        degradations=tuple(
            Degradation(tier=each.tier, reason=_reason(each.reason), detail=each.detail)
            for each in message.degradations
        ),
        attempts=tuple(_read_attempt(each) for each in message.attempts),
        rules=_read_rules(message.rules_assessment) if message.HasField("rules_assessment") else None,
        used=tuple(_read_used(each) for each in message.inputs_used),
        dropped=tuple(
            DroppedInput(
                field=each.field,
                channel=each.channel,
                issue=_issue(each.issue),
                hint=each.hint,
                count=each.count,
            )
            for each in message.inputs_dropped
        ),
        flags=tuple(
            InputFlag(issue=_issue(each.issue), channel=each.channel, field=each.field, detail=each.detail)
            for each in message.input_flags
        ),
        as_of_time_s=read_time(message.as_of_time),
        generated_time_s=read_time(message.generated_time),
        valid_until_time_s=read_time(message.valid_until_time),
    )


def _nanos(duration: Duration) -> int:
    return int(duration.seconds * 10**9 + duration.nanos)


def _set(message: Message, field: str, value: Value) -> Value | None:
    return value if message.HasField(field) else None


def _reason(number: int) -> Reason:
    return Reason(tiers_pb2.Reason.Name(number).removeprefix("REASON_"))


def _issue(number: int) -> InputIssue:
    return InputIssue(assessments_pb2.InputIssue.Name(number).removeprefix("INPUT_ISSUE_"))


def _read_identity(message: tiers_pb2.TierIdentity) -> TierIdentity:
    bundle = message.bundle
    provider = tiers_pb2.ExecutionProvider.Name(message.execution_provider).removeprefix("EXECUTION_PROVIDER_")
    return TierIdentity(
        pathway=message.pathway,
        tier=message.tier,
        execution_provider=ExecutionProvider[provider],
        device=message.device,
        bundle=BundleIdentity(
            name=bundle.name, version=bundle.version, sha256=bundle.sha256, signers=tuple(bundle.signers)
        ),
    )


def _read_risk(message: assessments_pb2.Risk) -> Risk:
    semantics = message.semantics
    return Risk(
        probability=message.probability,
        semantics=ScoreSemantics(
            output=semantics.output,
            outcome=semantics.outcome,
            horizon_h=_nanos(semantics.horizon) / 3.6e12,
            population=semantics.population,
            calibration=semantics.calibration,
        ),
        contributions=tuple(Contribution(channel=each.channel, value=each.value) for each in message.contributions),
    )


def _read_abstention(message: assessments_pb2.Abstention) -> Abstention:
    name = assessments_pb2.AbstentionReason.Name(message.reason).removeprefix("ABSTENTION_REASON_")
    return Abstention(reason=AbstentionReason(name), text=message.text)


def _read_attempt(message: assessments_pb2.TierAttempt) -> TierAttempt:
    outcome = _reason(message.reason) if message.HasField("reason") else None
    return TierAttempt(tier=message.tier, outcome=outcome, elapsed_ms=_nanos(message.elapsed) / 1e6)


def _read_used(message: assessments_pb2.UsedInput) -> UsedInput:
    return UsedInput(
        field=message.field,
        channel=message.channel,
        value=message.value,
        unit=message.unit,
        observed_time_s=read_time(message.observed_time),
        readings=message.count,
    )


def _read_rules(message: rules_assessment_pb2.RulesAssessment) -> RulesAssessment:
    return RulesAssessment(
        band=Band(message.band),
        floor=Band(message.floor),
        complete=message.complete,
        hard_trigger=message.hard_trigger,
        answering=_read_score(message.answering),
        lactate=_read_score(message.lactate),
        supporting=tuple(_read_score(each) for each in message.supporting),
        response=message.response,
        alternate_scale=_read_score(message.alternate_scale) if message.HasField("alternate_scale") else None,
    )


def _read_score(message: rules_assessment_pb2.ScoreResult) -> ScoreResult:
    return ScoreResult(
        rule_set_id=message.rule_set_id,
        total=_set(message, "total", message.total),
        minimum_total=message.minimum_total,
        maximum_total=message.maximum_total,
        maximum_possible=message.maximum_possible,
        band=Band(message.band),
        classification=message.classification,
        complete=message.complete,
        parameters=tuple(_read_parameter(each) for each in message.parameters),
        missing=tuple(message.missing),
        ratio=_set(message, "ratio", message.ratio),
    )


def _read_parameter(message: rules_assessment_pb2.ParameterScore) -> ParameterScore:
    result = message.WhichOneof("result")
    value: float | str | None = message.value if result == "value" else None
    return ParameterScore(
        parameter=message.parameter,
        value=message.coded_value if result == "coded_value" else value,
        unit=message.unit,
        status=InputStatus[rules_assessment_pb2.Presence.Name(message.presence).removeprefix("PRESENCE_")],
        points=_set(message, "points", message.points),
        minimum_points=message.minimum_points,
        maximum_points=message.maximum_points,
        observed_time_s=read_time(message.observed_time) if message.HasField("observed_time") else None,
    )
