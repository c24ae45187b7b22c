"""The way in: a clinical request becomes a grid for the models, inputs for the rules, and a record of what was made.

Order of work: the request as a whole, each observation, contradictions between them, who the patient is, what the rules
read, whether the scores apply. Nothing is scored here.
"""

from math import isnan

from stepdown.clinical.artefacts import drop_artefacts
from stepdown.clinical.channel import Freshness
from stepdown.clinical.chart import Chart
from stepdown.clinical.consistency import drop_contradictions
from stepdown.clinical.demographics import demographics
from stepdown.clinical.findings import Findings
from stepdown.clinical.grid import grid_of
from stepdown.clinical.observation_screening import screen
from stepdown.clinical.policy import IntakePolicy
from stepdown.clinical.readings import Timeline
from stepdown.clinical.record_of_use import used_inputs
from stepdown.clinical.request_checks import age_required, check_request, rejection
from stepdown.clinical.resolution import resolve
from stepdown.clinical.rule_parameters import nothing_is_current, rule_inputs
from stepdown.clinical.scope import NO_CLINICAL_DATA, STALE_INPUT, models_apply, scope
from stepdown.clinical.series_screening import screen_series
from stepdown.clinical.window import Window
from stepdown.domain.errors import FieldViolation
from stepdown.domain.intake import DroppedInput, Intake
from stepdown.domain.observations import ClinicalRequest
from stepdown.domain.reasons import RejectReason


def take_in(request: ClinicalRequest, *, received_time_s: float, policy: IntakePolicy) -> Intake:
    """Believe what can be believed of a request, at its own instant.

    Args:
        request: what the client says, decoded.
        received_time_s: this server's wall clock, Unix seconds; used only to refuse an instant that cannot be meant.
        policy: the site's limits.

    Raises:
        RequestRejectedError: the request as a whole cannot be trusted, or `strict` is set and something was dropped.
    """
    check_request(request, received_time_s=received_time_s, policy=policy)
    findings = Findings()
    chart = _charted(request, policy, findings)
    clinical, static = _timelines(chart)
    indication = request.indication
    who = demographics(indication, static, window=chart.window, findings=findings)
    if isnan(who.age_years):
        raise rejection((age_required(),))
    inputs = rule_inputs(clinical, indication=indication, window=chart.window, policy=policy, findings=findings)
    abstention = scope(indication, age_years=who.age_years, policy=policy, findings=findings)
    if abstention is None and not clinical:
        abstention = NO_CLINICAL_DATA
    if abstention is None and nothing_is_current(inputs):
        abstention = STALE_INPUT
    models_in_indication = models_apply(age_years=who.age_years, policy=policy, findings=findings)
    dropped = findings.dropped()
    if request.strict and dropped:
        raise rejection(tuple(_strict_violation(each) for each in dropped))
    return Intake(
        grid=grid_of(clinical.values(), who, chart.timings),
        rule_inputs=inputs,
        used=used_inputs((*clinical.values(), *static.values())),
        dropped=dropped,
        flags=findings.flags(),
        abstention=None if abstention is None else abstention.reason,
        abstention_text="" if abstention is None else abstention.text,
        models_in_indication=models_in_indication,
        wrong_patient_retraction=chart.wrong_patient,
    )


def _charted(request: ClinicalRequest, policy: IntakePolicy, findings: Findings) -> Chart:
    """Every observation of the request, screened."""
    window = Window(as_of_s=request.as_of_time_s or 0.0, skew_s=policy.clock_skew_tolerance_s)
    chart = Chart(window=window, findings=findings)
    for observation in request.observations:
        screen(observation, chart)
    for series in request.series:
        screen_series(series, chart)
    return chart


def _timelines(chart: Chart) -> tuple[dict[str, Timeline], dict[str, Timeline]]:
    """What each channel says at each time, measured and static, without what contradicts itself."""
    static: dict[str, Timeline] = {}
    measured: dict[str, Timeline] = {}
    for readings in chart.all_readings():
        timeline = resolve(readings, chart.timings, chart.findings)
        if timeline.times_s:
            of_its_kind = static if timeline.channel.freshness is Freshness.STATIC else measured
            of_its_kind[timeline.channel.name] = timeline
    return drop_artefacts(drop_contradictions(measured, chart.findings), chart.findings), static


def _strict_violation(entry: DroppedInput) -> FieldViolation:
    return FieldViolation(
        field=entry.field, reason=RejectReason.STRICT_INPUT, description=f"{entry.issue}: {entry.hint}"
    )
