"""Lists what reached the rules or the models: observations one by one, each packed series by its newest value."""

from collections import Counter
from collections.abc import Iterable

from stepdown.clinical.channels import CHANNEL_ORDER
from stepdown.clinical.findings import place_in_request
from stepdown.clinical.readings import Further, Timeline
from stepdown.domain.intake import UsedInput


def used_inputs(timelines: Iterable[Timeline]) -> tuple[UsedInput, ...]:
    """Every observation that was used, by channel, then time, then place in the request."""
    in_order = sorted(timelines, key=lambda timeline: CHANNEL_ORDER[timeline.channel.name])
    return tuple(used for timeline in in_order for used in _used(timeline))


def _used(timeline: Timeline) -> list[UsedInput]:
    provenances = timeline.provenances
    count = len(provenances)
    # One packed series and nothing else is the usual case, and needs no look at each of its values.
    if not timeline.further and provenances.count(provenances[0]) == count:
        return [_entry(timeline, count - 1, count=count)]
    newest = dict(zip(provenances, range(count), strict=True))
    counts = Counter(provenances)
    used = [_entry(timeline, index, count=counts[provenance]) for provenance, index in newest.items()]
    if timeline.further:
        used += [_further_entry(timeline, further) for further in timeline.further]
        used.sort(key=lambda each: (each.observed_time_s, place_in_request(each.field)))
    return used


def _entry(timeline: Timeline, index: int, *, count: int) -> UsedInput:
    return UsedInput(
        field=timeline.place(index),
        channel=timeline.channel.name,
        value=timeline.candidates(index)[0],
        unit=timeline.channel.unit,
        observed_time_s=timeline.times_s[index],
        count=count,
    )


def _further_entry(timeline: Timeline, further: Further) -> UsedInput:
    return UsedInput(
        field=further.place,
        channel=timeline.channel.name,
        value=further.value,
        unit=timeline.channel.unit,
        observed_time_s=further.time_s,
    )
