"""Lists what reached the rules or the models: observations one by one, each packed series by its newest value."""

from collections import Counter
from collections.abc import Iterable

from stepdown.clinical.channel import Channel
from stepdown.clinical.channels import CHANNEL_ORDER
from stepdown.clinical.readings import Reading, Timeline
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
        return [_entry(timeline, count - 1, readings=count)]
    last = dict(zip(provenances, range(count), strict=True))
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
    channel = timeline.channel
    return UsedInput(
        field=timeline.place(index),
        channel=channel.name,
        value=timeline.candidates(index)[0],
        unit=channel.unit,
        observed_time_s=timeline.times_s[index],
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
