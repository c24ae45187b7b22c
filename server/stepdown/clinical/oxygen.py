"""Decides whether the patient is on supplemental oxygen, from the explicit flag, the inspired fraction and the flow."""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.clinical.findings import Findings
from stepdown.clinical.policy import IntakePolicy
from stepdown.clinical.readings import Timeline
from stepdown.clinical.window import Window
from stepdown.domain.intake import InputStatus, RuleInput
from stepdown.domain.reasons import InputIssue

# Each channel speaks of oxygen above this value: room air is 21 %.
_ON_OXYGEN_ABOVE = {"SupplementalOxygen": 0.0, "FiO2": 0.21, "OxygenFlow": 0.0}
ON_OXYGEN, ON_AIR = 1.0, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """The newest thing that one channel says."""

    channel: str
    place: str
    time_s: float
    on_oxygen: bool


def oxygen_status(
    timelines: Mapping[str, Timeline], *, window: Window, fresh_s: float, policy: IntakePolicy, findings: Findings
) -> RuleInput:
    """The rule input `SupplementalOxygen`: 1 on oxygen, 0 on air.

    Where fresh statements of about the same time differ, the patient is taken to be on oxygen (it scores higher) and
    the conflict is flagged.
    """
    statements = [_newest(name, timelines[name]) for name in _ON_OXYGEN_ABOVE if name in timelines]
    fresh = [each for each in statements if window.age_s(each.time_s) <= fresh_s]
    if not fresh:
        if not statements:
            return RuleInput(value=None, status=InputStatus.MISSING)
        return RuleInput(value=None, status=InputStatus.STALE, observed_time_s=max(each.time_s for each in statements))
    newest_s = max(each.time_s for each in fresh)
    telling = [each for each in fresh if newest_s - each.time_s <= policy.oxygen_conflict_window_s]
    on_oxygen = any(each.on_oxygen for each in telling)
    against = [each for each in telling if each.on_oxygen is not on_oxygen]
    if against:
        findings.flag(
            InputIssue.CONFLICT,
            channel="SupplementalOxygen",
            field=against[0].place,
            detail="air and oxygen are both stated: taken as on oxygen",
        )
    observed_s = max(each.time_s for each in telling if each.on_oxygen is on_oxygen)
    return RuleInput(value=ON_OXYGEN if on_oxygen else ON_AIR, observed_time_s=observed_s)


def _newest(name: str, timeline: Timeline) -> _Statement:
    last = len(timeline.times_s) - 1
    return _Statement(
        channel=name,
        place=timeline.place(last),
        time_s=timeline.times_s[last],
        on_oxygen=max(timeline.candidates(last)) > _ON_OXYGEN_ABOVE[name],
    )
