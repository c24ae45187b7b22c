"""Screens single observations: status, code, unit, range, time. Each ends on the chart, or dropped with the reason."""

from stepdown.clinical.channel import Channel, CodedChannel, Freshness
from stepdown.clinical.chart import Chart
from stepdown.clinical.measurement import Measured, Refusal, measure
from stepdown.clinical.readings import CORRECTED, FINAL, NOT_ISSUED_S, PRELIMINARY, Provenance, Retraction
from stepdown.clinical.remarks import (
    FUTURE,
    NO_TIME,
    PAST,
    remark_on_assay,
    remark_on_doubt,
    remark_on_rarity,
    remark_on_time,
)
from stepdown.domain.observations import Comparator, Observation, ObservationStatus
from stepdown.domain.reasons import InputIssue

_RANKS = {
    ObservationStatus.CORRECTED: CORRECTED,
    ObservationStatus.AMENDED: CORRECTED,
    ObservationStatus.FINAL: FINAL,
    ObservationStatus.PRELIMINARY: PRELIMINARY,
    ObservationStatus.REGISTERED: PRELIMINARY,
}
_TAKES_BACK = {
    ObservationStatus.WRONG_PATIENT: InputIssue.WRONG_PATIENT_RETRACTION,
    ObservationStatus.ENTERED_IN_ERROR: InputIssue.STATUS_EXCLUDED,
    ObservationStatus.CANCELLED: InputIssue.STATUS_EXCLUDED,
}
_NOT_FINAL = frozenset({ObservationStatus.PRELIMINARY, ObservationStatus.REGISTERED})
_AFTER_ALL_S = float("inf")


def screen(observation: Observation, chart: Chart) -> None:
    """Put one observation on the chart, or drop it."""
    coded = chart.coded_channel(observation.code_system, observation.code, field=observation.field)
    if coded is None:
        return
    rank = _RANKS.get(observation.status)
    if rank is None:
        _exclude(observation, coded, chart)
        return
    measured = measure(observation, coded)
    if isinstance(measured, Refusal):
        _drop(measured, observation, coded.channel, chart)
        return
    time = _time_s(observation, coded.channel, chart)
    if isinstance(time, Refusal):
        _drop(time, observation, coded.channel, chart)
        return
    if _is_remarkable(observation, measured):
        _warn(observation, measured, coded.channel, chart)
    chart.readings_of(coded.channel).add(
        time, measured.value, provenance=_provenance(observation, rank), for_models=measured.doubt is None
    )


def _drop(refusal: Refusal, observation: Observation, channel: Channel, chart: Chart) -> None:
    chart.findings.drop(refusal.issue, field=observation.field, channel=channel.name, hint=refusal.hint)


def _exclude(observation: Observation, coded: CodedChannel, chart: Chart) -> None:
    """Leave out what its status excludes; what takes an earlier result back takes it off the chart too."""
    channel = coded.channel
    issue = _TAKES_BACK.get(observation.status, InputIssue.STATUS_EXCLUDED)
    chart.findings.drop(
        issue, field=observation.field, channel=channel.name, hint="its status says that the result must not be used"
    )
    chart.wrong_patient |= observation.status is ObservationStatus.WRONG_PATIENT
    if observation.status not in _TAKES_BACK or observation.effective_time_s is None:
        return
    measured = measure(observation, coded)
    chart.readings_of(channel).retract(
        Retraction(
            time_s=observation.effective_time_s,
            value=None if isinstance(measured, Refusal) else measured.value,
            issued_time_s=_AFTER_ALL_S if observation.issued_time_s is None else observation.issued_time_s,
            issue=issue,
        )
    )


def _time_s(observation: Observation, channel: Channel, chart: Chart) -> float | Refusal:
    """When the observation counts; what never changes in a stay may lack a time or be older than the window."""
    time_s, window = observation.effective_time_s, chart.window
    static = channel.freshness is Freshness.STATIC
    if time_s is None:
        return window.as_of_s if static else NO_TIME
    if window.is_after(time_s):
        return FUTURE
    if window.is_before(time_s) and not static:
        return PAST
    if window.age_s(time_s) < 0:
        remark_on_time(channel, chart.findings, field=observation.field)
    return time_s


def _is_remarkable(observation: Observation, measured: Measured) -> bool:
    """Whether there is anything to flag: most observations are plain."""
    return (
        not (measured.plausible and measured.interchangeable)
        or observation.comparator is not Comparator.NONE
        or observation.status in _NOT_FINAL
        or observation.time_ambiguous
    )


def _warn(observation: Observation, measured: Measured, channel: Channel, chart: Chart) -> None:
    """Flag everything that a reader should know about an observation that is used."""
    findings, field = chart.findings, observation.field
    if measured.doubt is not None:
        remark_on_doubt(measured.doubt, channel, findings, field=field)
    elif not measured.plausible:
        remark_on_rarity(channel, findings, field=field)
    if not measured.interchangeable:
        remark_on_assay(channel, findings, field=field)
    name = channel.name
    if observation.comparator is not Comparator.NONE:
        detail = "beyond what can be measured: the limit is used"
        findings.flag(InputIssue.CENSORED, channel=name, field=field, detail=detail)
    if observation.status in _NOT_FINAL:
        findings.flag(InputIssue.PRELIMINARY, channel=name, field=field, detail="not final yet")
    if observation.time_ambiguous:
        detail = "local time was ambiguous: the later instant is used"
        findings.flag(InputIssue.TIME_AMBIGUOUS, channel=name, field=field, detail=detail)


def _provenance(observation: Observation, rank: int) -> Provenance:
    issued_time_s = observation.issued_time_s
    return Provenance(
        field=observation.field,
        rank=rank,
        issued_time_s=NOT_ISSUED_S if issued_time_s is None else issued_time_s,
        identity=(observation.code_system, observation.code, observation.unit, observation.source),
    )
