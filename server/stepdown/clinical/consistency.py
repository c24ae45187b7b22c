"""Finds readings of one moment that cannot all be true, and drops every member: nothing says which of them is wrong.

Compares readings of the same instant only: minutes apart, two pressures may both be right.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt

from stepdown.clinical.coma_score import PARTS
from stepdown.clinical.dismissal import dismiss
from stepdown.clinical.findings import Findings
from stepdown.clinical.readings import Timeline
from stepdown.domain.reasons import InputIssue

# Two assays of one sample differ a little: direct bilirubin may exceed the total by this much.
_BILIRUBIN_MARGIN = 1.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What always holds among `members` measured together: `broken` takes a value of each."""

    members: tuple[str, ...]
    broken: Callable[..., bool]
    detail: str


def _not_the_sum(total: float, *parts: float) -> bool:
    return total != sum(parts)


def _exceeds_total(direct: float, total: float) -> bool:
    return direct > total * _BILIRUBIN_MARGIN


LAWS = (
    Law(members=("DBP", "SBP"), broken=ge, detail="diastolic pressure is not below systolic pressure"),
    Law(members=("DBP", "MAP"), broken=gt, detail="mean pressure is below diastolic pressure"),
    Law(members=("MAP", "SBP"), broken=gt, detail="mean pressure is above systolic pressure"),
    Law(members=("GCS", *PARTS), broken=_not_the_sum, detail="the coma score is not the sum of its parts"),
    Law(
        members=("Bilirubin_direct", "Bilirubin_total"), broken=_exceeds_total, detail="direct bilirubin exceeds total"
    ),
)


def drop_contradictions(timelines: Mapping[str, Timeline], findings: Findings) -> dict[str, Timeline]:
    """The timelines without what contradicts others of its instant; a breach is flagged, its members are dropped."""
    refused: dict[str, set[float]] = {}
    for law in LAWS:
        if not all(name in timelines for name in law.members):
            continue
        members = [timelines[name] for name in law.members]
        times_s, columns = _together(members)
        breaches = [time_s for time_s, broken in zip(times_s, map(law.broken, *columns), strict=True) if broken]
        if breaches:
            where = members[0].place(members[0].times_s.index(breaches[0]))
            findings.flag(
                InputIssue.INCONSISTENT, channel=law.members[0], field=where, detail=law.detail, count=len(breaches)
            )
            for name in law.members:
                refused.setdefault(name, set()).update(breaches)
    kept = dict(timelines)
    for name, refused_times_s in refused.items():
        hint = "contradicts another observation of the same time; check them and send those that hold"
        kept[name] = dismiss(kept[name], refused_times_s, InputIssue.INCONSISTENT, hint=hint, findings=findings)
    return kept


def _together(members: Sequence[Timeline]) -> tuple[Sequence[float], Sequence[Sequence[float]]]:
    """The times that all members share, and each member's values at them."""
    first = members[0].times_s
    if all(member.times_s == first for member in members):
        return first, [member.values for member in members]
    by_time = [dict(zip(member.times_s, member.values, strict=True)) for member in members]
    shared = [time_s for time_s in first if all(time_s in values for values in by_time)]
    return shared, [[values[time_s] for time_s in shared] for values in by_time]
