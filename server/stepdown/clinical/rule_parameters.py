"""Picks what the clinical rules read: the newest value of each parameter, if it is fresh, as it would stand on a chart.

Never carries a value past its freshness, never fills one in, never lets a missing one look normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.clinical.channel import Channel, Freshness
from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.coma_score import with_computed_total
from stepdown.clinical.findings import Findings
from stepdown.clinical.oxygen import ON_OXYGEN, oxygen_status
from stepdown.clinical.policy import IntakePolicy
from stepdown.clinical.readings import Timeline
from stepdown.clinical.severity import worst
from stepdown.clinical.window import Window
from stepdown.domain.intake import CONSCIOUSNESS_LETTERS, InputStatus, RuleInput, RuleInputs
from stepdown.domain.observations import Indication
from stepdown.domain.reasons import InputIssue

_CHANNELS = tuple(
    CHANNELS[name]
    for name in ("Resp", "O2Sat", "SBP", "HR", "Consciousness", "Temp", "Lactate", "GCS", "PaCO2", "WBC", "Bands")
)
_MISSING = {
    channel.name: RuleInput(value=None, status=InputStatus.MISSING, unit="" if channel.answers else channel.unit)
    for channel in _CHANNELS
}
# Any one of these, fresh, can decide a band; without all of them nothing that is known of the patient is current.
_DECIDING = ("Resp", "O2Sat", "SBP", "HR", "Consciousness", "Temp", "Lactate", "GCS")


def nothing_is_current(inputs: RuleInputs) -> bool:
    """Whether something was measured, but nothing that can decide a band is fresh enough to."""
    statuses = [inputs.parameters[name].status for name in _DECIDING]
    return InputStatus.PRESENT not in statuses and InputStatus.STALE in statuses


def rule_inputs(
    timelines: Mapping[str, Timeline],
    *,
    indication: Indication,
    window: Window,
    policy: IntakePolicy,
    findings: Findings,
) -> RuleInputs:
    """Every parameter that the rules read, present, stale or missing, and the SpO2 scale in force."""
    unconfirmed = indication.spo2_scale != 1 and not indication.spo2_scale_2_confirmed
    if unconfirmed:
        findings.flag(
            InputIssue.SCALE2_NOT_CONFIRMED,
            channel="O2Sat",
            detail="scale 2 needs confirmed hypercapnic respiratory failure: scale 1 counts, both are reported",
        )
    vitals_fresh_s = policy.vitals_fresh_s(indication.care_setting)
    oxygen = oxygen_status(timelines, window=window, fresh_s=vitals_fresh_s, policy=policy, findings=findings)
    reader = _Reader(
        window=window,
        findings=findings,
        fresh_s={
            Freshness.VITAL: vitals_fresh_s,
            Freshness.LACTATE: policy.lactate_fresh_s,
            Freshness.LABORATORY: policy.laboratory_fresh_s,
        },
        spo2_scale=1 if unconfirmed else indication.spo2_scale,
        on_oxygen=oxygen.value == ON_OXYGEN,
    )
    known = with_computed_total(timelines)
    return RuleInputs(
        parameters={
            "SupplementalOxygen": oxygen,
            **{channel.name: reader.parameter(channel, known.get(channel.name)) for channel in _CHANNELS},
        },
        spo2_scale=reader.spo2_scale,
        want_alternate_scale=unconfirmed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """What decides whether and how a value is read."""

    window: Window
    findings: Findings
    fresh_s: Mapping[Freshness, float]
    spo2_scale: int
    on_oxygen: bool

    def parameter(self, channel: Channel, timeline: Timeline | None) -> RuleInput:
        """One parameter from the newest value of its channel."""
        if timeline is None:
            return _MISSING[channel.name]
        unit = "" if channel.answers else channel.unit
        last = len(timeline.times_s) - 1
        time_s = timeline.times_s[last]
        if self.window.age_s(time_s) > self.fresh_s[channel.freshness]:
            self._note_stale(channel, timeline.place(last))
            return RuleInput(value=None, status=InputStatus.STALE, unit=unit, observed_time_s=time_s)
        value = worst(channel, timeline.candidates(last), spo2_scale=self.spo2_scale, on_oxygen=self.on_oxygen)
        letter = CONSCIOUSNESS_LETTERS[int(value)] if channel.answers else None
        return RuleInput(value=value if letter is None else letter, unit=unit, observed_time_s=time_s)

    def _note_stale(self, channel: Channel, place: str) -> None:
        """A stale vital sign counts as dropped, since the answering score lacks it; anything else is flagged."""
        minutes = self.fresh_s[channel.freshness] / 60
        detail = f"older than the {minutes:g} minutes that it stands for the patient: not read by the rules"
        if channel.core:
            self.findings.drop(InputIssue.STALE, field=place, channel=channel.name, hint=f"{detail}; measure again")
        else:
            self.findings.flag(InputIssue.STALE, channel=channel.name, field=place, detail=detail)
