"""From what a scenario saw to figures. Pure: the same record always gives the same figures.

Percentiles are exact: nearest rank over every latency, each counted from the moment the question was due.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from loadtests.milestones import detected_ms, fell_back_ms, recovered_s
from loadtests.record import Outcome, Pulse, ScenarioRecord
from loadtests.schedule import SWEEP
from stepdown.cli.drill.record import Move
from stepdown.cli.drill.verdict import percentile

AFTER_SURGE_S = 2.0
_SERVING = "SERVING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some of the questions: how many, how they ended, how fast the answers were. None: nobody answered."""

    name: str
    asked: int
    lost: int
    mislabelled: int
    p50_ms: float | None
    p99_ms: float | None
    p99_9_ms: float | None

    @property
    def answered(self) -> int:
        """How many got an answer within their deadline."""
        return self.asked - self.lost

    @property
    def availability(self) -> float | None:
        """The share that got an answer within their deadline."""
        return self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFigures:
    """One tier: the share of the time it was in service, the share of all answers it gave, and those answers."""

    in_service: float | None
    share: float
    answers: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorFigures:
    """How well the generator kept its own schedule: sends, and the heartbeat that receiving depends on."""

    late_share: float
    p99_late_ms: float
    worst_late_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of a scenario; None: it did not happen, or nothing asks for it.

    `surge_goodput`: answers a second while overloaded, as a multiple of the first tier's capacity. What was due within
    `AFTER_SURGE_S` of a surge's end is not outside it: the backlog is still being worked off.
    """

    asked: int
    availability: float | None
    emergency_availability: float | None
    lost: int
    lost_outside_surge: int | None
    mislabelled: int
    p50_ms: float | None
    p99_ms: float | None
    p99_9_ms: float | None
    detected_ms: float | None
    fell_back_ms: float | None
    recovered_s: float | None
    first_tier_share: float | None
    surge_goodput: float | None
    generator: GeneratorFigures
    tiers: tuple[TierFigures, ...]
    profiles: tuple[Group, ...]
    urgencies: tuple[Group, ...]
    failures: dict[str, int]


def measure(record: ScenarioRecord, *, capacity_per_s: float, late_ms: float) -> Measures:
    """The figures. Questions of the warm-up are left out."""
    judged = [each for each in record.outcomes if each.intended_s >= 0]
    whole = _group("all", judged)
    suited = [each for each in judged if each.tier and not each.unsuited]
    emergency = _group("emergency", [each for each in judged if each.urgency == "emergency"])
    return Measures(
        asked=whole.asked,
        availability=whole.availability,
        emergency_availability=emergency.availability,
        lost=whole.lost,
        lost_outside_surge=_lost_outside(record.surge, judged),
        mislabelled=whole.mislabelled,
        p50_ms=whole.p50_ms,
        p99_ms=whole.p99_ms,
        p99_9_ms=whole.p99_9_ms,
        detected_ms=detected_ms(record),
        fell_back_ms=fell_back_ms(record),
        recovered_s=recovered_s(record),
        first_tier_share=sum(each.tier == record.tiers[0] for each in suited) / len(suited) if suited else None,
        surge_goodput=_goodput(record, capacity_per_s),
        generator=_generator(judged, record.pulses, late_ms=late_ms),
        tiers=tuple(_tier(name, record, judged) for name in record.tiers),
        profiles=_grouped(judged, lambda each: each.profile),
        urgencies=_grouped(judged, lambda each: each.urgency),
        failures=_failures(judged),
    )


def _group(name: str, outcomes: Sequence[Outcome]) -> Group:
    # A sweep is waited for by nobody in front of a screen; among others it would pass for their slowest answers.
    timed = [each for each in outcomes if each.profile != SWEEP] or outcomes
    latencies = [each.latency_ms for each in timed if each.tier]
    return Group(
        name=name,
        asked=len(outcomes),
        lost=sum(not each.tier for each in outcomes),
        mislabelled=sum(bool(each.label_faults) for each in outcomes),
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        p99_9_ms=percentile(latencies, 0.999),
    )


def _grouped(outcomes: Sequence[Outcome], by: Callable[[Outcome], str]) -> tuple[Group, ...]:
    return tuple(
        _group(name, [each for each in outcomes if by(each) == name])
        for name in sorted({by(each) for each in outcomes})
    )


def _tier(name: str, record: ScenarioRecord, judged: Sequence[Outcome]) -> TierFigures:
    answers = _group(name, [each for each in judged if each.tier == name])
    answered = sum(bool(each.tier) for each in judged)
    return TierFigures(
        in_service=in_service(name, record.moves, record.length_s),
        share=answers.asked / answered if answered else 0.0,
        answers=answers,
    )


def in_service(tier: str, moves: Iterable[Move], length_s: float) -> float | None:
    """The share of the scenario for which a tier was SERVING. None: nothing is known of it."""
    own = sorted((move for move in moves if move.tier == tier), key=lambda move: move.at_s)
    if not own:
        return None
    ends = [*(move.at_s for move in own[1:]), length_s]
    served_s = sum(
        max(0.0, min(end_s, length_s) - max(0.0, move.at_s))
        for move, end_s in zip(own, ends, strict=True)
        if move.state == _SERVING
    )
    return served_s / length_s


def _lost_outside(surge: tuple[float, float] | None, judged: Sequence[Outcome]) -> int | None:
    if surge is None:
        return None
    first_s, last_s = surge
    return sum(not each.tier and not first_s <= each.intended_s < last_s + AFTER_SURGE_S for each in judged)


def _goodput(record: ScenarioRecord, capacity_per_s: float) -> float | None:
    if record.surge is None:
        return None
    first_s, last_s = record.surge
    answered = sum(bool(each.tier) and first_s <= each.done_s < last_s for each in record.outcomes)
    return answered / (last_s - first_s) / capacity_per_s


def _generator(judged: Sequence[Outcome], pulses: Sequence[Pulse], *, late_ms: float) -> GeneratorFigures:
    """Late sends count, and so does a late heartbeat: an answer that waits to be read looks like a slow server."""
    sends = [(each.sent_s - each.intended_s) * 1e3 for each in judged]
    beats = [pulse.late_s * 1e3 for pulse in pulses if pulse.at_s >= 0]
    shares = [sum(late > late_ms for late in lates) / len(lates) for lates in (sends, beats) if lates]
    return GeneratorFigures(
        late_share=max(shares, default=1.0),
        p99_late_ms=max(percentile(sends, 0.99) or 0.0, percentile(beats, 0.99) or 0.0),
        worst_late_ms=max([0.0, *sends, *beats]),
    )


def _failures(judged: Sequence[Outcome]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in judged:
        for text in (each.failure, *each.label_faults):
            if text:
                found[text] = found.get(text, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
