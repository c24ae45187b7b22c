"""Takes readings back off a timeline and lists them as dropped: one by one, or a packed series in one entry."""

from collections.abc import Set as AbstractSet

from stepdown.clinical.findings import Findings
from stepdown.clinical.readings import Timeline
from stepdown.domain.reasons import InputIssue


def dismiss(
    timeline: Timeline, times_s: AbstractSet[float], issue: InputIssue, *, hint: str, findings: Findings
) -> Timeline:
    """The timeline without `times_s`, every reading behind them dropped."""
    places: dict[str, list[str]] = {}
    for index, time_s in enumerate(timeline.times_s):
        if time_s in times_s:
            places.setdefault(timeline.provenances[index].field, []).append(timeline.place(index))
    for further in timeline.further:
        if further.time_s in times_s:
            provenance = further.provenance
            places.setdefault(provenance.field, []).append(provenance.place(further.position))
    for of_one in places.values():
        findings.drop(issue, field=of_one[0], channel=timeline.channel.name, hint=hint, count=len(of_one))
    return timeline.without(frozenset(times_s))
