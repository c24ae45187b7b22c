"""Settles what a channel says at each time: readings retracted, repeated, at odds. Order of arrival never counts."""

from collections.abc import Sequence
from itertools import groupby, islice
from operator import eq

from stepdown.clinical.findings import Findings
from stepdown.clinical.readings import Readings, Timeline
from stepdown.clinical.timings import Timings
from stepdown.domain.reasons import InputIssue


def median(values: Sequence[float]) -> float:
    """The middle of the sorted values, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def resolve(readings: Readings, timings: Timings, findings: Findings) -> Timeline:
    """One value for each time, oldest first; what had to be settled is flagged."""
    if readings.retractions:
        readings = _without_retracted(readings, findings)
    times_s = readings.times_s
    if times_s and not timings.of(times_s).rises:
        readings = readings.picked(sorted(range(len(times_s)), key=times_s.__getitem__))
        times_s = readings.times_s
        if any(map(eq, times_s, islice(times_s, 1, None))):
            return _settled(readings, findings)
    return Timeline(
        channel=readings.channel,
        times_s=times_s,
        values=readings.values,
        positions=readings.positions,
        provenances=readings.provenances,
        rules_only=frozenset([times_s[index] for index in readings.kept_from_models]),
    )


def _without_retracted(readings: Readings, findings: Findings) -> Readings:
    kept = []
    for index in range(len(readings.times_s)):
        retraction = readings.retraction_of(index)
        if retraction is None:
            kept.append(index)
            continue
        findings.drop(
            retraction.issue,
            field=readings.place(index),
            channel=readings.channel.name,
            hint="taken back by another entry of this request for the same time",
        )
    return readings.picked(kept)


def _settled(readings: Readings, findings: Findings) -> Timeline:
    """Settle readings that are sorted by time and share some of their times."""
    standing = [
        _standing(readings, tuple(group), findings)
        for _, group in groupby(range(len(readings.times_s)), key=readings.times_s.__getitem__)
    ]
    first = readings.picked([indices[0] for indices in standing])
    middles = list(first.values)
    tied: dict[float, tuple[float, ...]] = {}
    rules_only, further = set(), []
    for place, indices in enumerate(standing):
        time_s = first.times_s[place]
        for_models = [index for index in indices if index not in readings.kept_from_models]
        values = tuple(readings.values[index] for index in indices)
        if len(set(values)) > 1:
            tied[time_s] = values
            middles[place] = median([readings.values[index] for index in for_models or indices])
        if not for_models:
            rules_only.add(time_s)
        further += [readings.at(index) for index in indices[1:]]
    return Timeline(
        channel=first.channel,
        times_s=first.times_s,
        values=middles,
        positions=first.positions,
        provenances=first.provenances,
        tied=tied,
        rules_only=frozenset(rules_only),
        further=tuple(further),
    )


def _standing(readings: Readings, group: tuple[int, ...], findings: Findings) -> tuple[int, ...]:
    """Which readings of one time stand: each once, corrections before others, then the latest issued."""
    if len(group) == 1:
        return group
    once: dict[tuple[tuple[str, ...], float], int] = {}
    ordered = sorted(group, key=lambda index: _credence(readings, index))
    for index in ordered:
        once.setdefault((readings.provenances[index].identity, readings.values[index]), index)
    channel, indices = readings.channel.name, tuple(once.values())
    if len(indices) < len(group):
        counted = frozenset(indices)
        repeated = next(index for index in ordered if index not in counted)
        findings.flag(
            InputIssue.DUPLICATE,
            channel=channel,
            field=readings.place(repeated),
            detail="exact repetition, counted once",
            count=len(group) - len(indices),
        )
    if len({readings.values[index] for index in indices}) == 1:
        return indices
    return _undisputed(readings, indices, findings)


def _undisputed(readings: Readings, indices: tuple[int, ...], findings: Findings) -> tuple[int, ...]:
    """Of readings that differ, those that no other one supersedes; they come most credible first."""
    best = _credence(readings, indices[0])[:2]
    standing = tuple(index for index in indices if _credence(readings, index)[:2] == best)
    settled = len({readings.values[index] for index in standing}) == 1
    findings.flag(
        InputIssue.CONFLICT,
        channel=readings.channel.name,
        field=readings.place(indices[0]),
        detail=(
            "different values for one time: the one that was corrected, final or issued last is used"
            if settled
            else "different values for one time: the worst one counts for the rules, the median for the models"
        ),
    )
    return standing


def _credence(readings: Readings, index: int) -> tuple[int, float, int, str, int]:
    """Sort key: most credible first, and by place where nothing else tells two readings apart."""
    provenance = readings.provenances[index]
    field = provenance.field
    return provenance.rank, -provenance.issued_time_s, len(field), field, readings.positions[index]
