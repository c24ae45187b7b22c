"""Lists what reached the rules or the models: observations one by one, each packed series by its newest value."""

from collections import Counter
from collections.abc import Iterable

from stepdown.clinical.channel import Channel
from stepdown.clinical.channels import CHANNEL_ORDER
from stepdown.clinical.readings import Reading, Timeline
from stepdown.domain.intake import UsedInput


def used_inputs(timelines: Iterable[Timeline]) -> tuple[UsedInput, ...]:
    """Every observation that was used, by channel, then time, then place in the request."""
    used: list[UsedInput] = []
    for timeline in sorted(timelines, key=_channel_order):
        provenances, count = timeline.provenances, len(timeline.provenances)
        # One packed series and nothing else is the usual case, and needs no look at each of its values.
        if not timeline.further and provenances.count(provenances[0]) == count:
            used.append(_entry(timeline, count - 1, readings=count))
        else:
            used += _mixed(timeline)
    return tuple(used)


def _channel_order(timeline: Timeline) -> int:
    return CHANNEL_ORDER[timeline.channel.name]


def _mixed(timeline: Timeline) -> list[UsedInput]:
    """An entry for each provenance of a channel that has several."""
    provenances = timeline.provenances
    last = dict(zip(provenances, range(len(provenances)), strict=True))
    counts = Counter(provenances)
    if not timeline.further:
        return [_entry(timeline, index, readings=counts[provenance]) for provenance, index in last.items()]
    newest = {provenance: _reading(timeline, index) for provenance, index in last.items()}
    for further in timeline.further:
        counts[further.provenance] += 1
        known = newest.get(further.provenance)
        if known is None or known.time_s < further.time_s:
            newest[further.provenance] = further
    used = [_of(timeline.channel, reading, readings=counts[provenance]) for provenance, reading in newest.items()]
    return sorted(used, key=_time_then_place)


def _reading(timeline: Timeline, index: int) -> Reading:
    """The most credible reading at `index`, as it was sent."""
    return Reading(
        time_s=timeline.times_s[index],
        value=timeline.candidates(index)[0],
        position=timeline.positions[index],
        provenance=timeline.provenances[index],
    )


def _entry(timeline: Timeline, index: int, *, readings: int) -> UsedInput:
    """The most credible reading at `index`, for so many of its provenance."""
    channel, time_s = timeline.channel, timeline.times_s[index]
    tied = timeline.tied.get(time_s) if timeline.tied else None
    return UsedInput(
        field=timeline.place(index),
        channel=channel.name,
        value=timeline.values[index] if tied is None else tied[0],
        unit=channel.unit,
        observed_time_s=time_s,
        readings=readings,
    )


def _of(channel: Channel, reading: Reading, *, readings: int) -> UsedInput:
    return UsedInput(
        field=reading.provenance.place(reading.position),
        channel=channel.name,
        value=reading.value,
        unit=channel.unit,
        observed_time_s=reading.time_s,
        readings=readings,
    )


def _time_then_place(used: UsedInput) -> tuple[float, int, str]:
    return used.observed_time_s, len(used.field), used.field
