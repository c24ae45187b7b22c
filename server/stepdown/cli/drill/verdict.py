"""From what a drill saw to figures, and from figures to a verdict. Pure: the same record always says the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from stepdown.cli.drill.plan import Objectives
from stepdown.cli.drill.record import Asked, DrillRecord, Move

_SERVING = "SERVING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Some seconds of a drill: how many were asked, lost, answered by whom, how fast. None: nobody answered."""

    name: str
    asked: int
    lost: int
    shares: dict[str, int]
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of a drill; None: it did not happen.

    `back_s` is beyond `load_s`, what the worker took to load. `wrong_given` are the answers of a tier that was made to
    lie, by request id, and `wrong_ms` how long after the fault the last of them came. `sent_late_ms` is how late, at
    worst, this machine sent a question: what it says of milliseconds is no better than that.
    """

    lost: int
    mislabelled: int
    moves: int
    detected_ms: float | None
    next_tier_ms: float | None
    wrong_ms: float
    load_s: float | None
    back_s: float | None
    alarm_ms: float | None
    alarm_end_ms: float | None
    late_sends: int
    sent_late_ms: float
    phases: tuple[Phase, ...]
    wrong_given: tuple[str, ...]
    failures: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One objective: what was allowed, what was found."""

    objective: str
    allowed: float
    found: float | None
    met: bool


def measure(record: DrillRecord, *, lies: bool) -> Measures:
    """The figures. `lies`: the tier was made to give wrong numbers, so these are listed, and are no mislabelling."""
    start_s = record.fault_start_s - record.clock_ahead_s
    end_s = record.fault_end_s - record.clock_ahead_s
    down, up, load_s = _absence(record)
    wrong = [each for each in record.asked if lies and each.wrong and _is_lie(each, record.faulted, start_s)]
    return Measures(
        lost=sum(not each.tier for each in record.asked),
        mislabelled=sum(each.mislabelled or each.wrong for each in record.asked) - len(wrong),
        moves=sum(move.heard_s >= start_s and move.state != _SERVING for move in record.moves),
        detected_ms=_span_ms(record.fault_start_s, down.at_s if down else None),
        next_tier_ms=_span_ms(start_s, _next_answer_s(record, start_s)),
        wrong_ms=max((each.done_s - start_s for each in wrong), default=0.0) * 1e3,
        load_s=load_s,
        back_s=None if up is None or down is None else max(0.0, up.at_s - _cause_end_s(record, down) - (load_s or 0.0)),
        alarm_ms=_span_ms(start_s, record.alarm.seen_s),
        alarm_end_ms=_span_ms(end_s, record.alarm.gone_s),
        late_sends=sum(each.sent_s - each.intended_s > 0.05 for each in record.asked),  # noqa: PLR2004 - a tenth of 500 ms
        sent_late_ms=max((each.sent_s - each.intended_s for each in record.asked), default=0.0) * 1e3,
        # A tier that never left is itself again when the fault is taken back.
        phases=_phases(record, start_s, _again_s(record, down, up)),
        wrong_given=tuple(each.request_id for each in wrong),
        failures=dict(Counter(each.failure for each in record.asked if not each.tier)),
    )


def judge(measures: Measures, objectives: Objectives) -> tuple[Finding, ...]:
    """Every objective that the drill asks. What did not happen is not met."""
    allowed: dict[str, float | None] = objectives.model_dump()
    found: dict[str, float | None] = {name: getattr(measures, name) for name in allowed}
    return tuple(
        Finding(objective=name, allowed=most, found=found[name], met=_within(found[name], most))
        for name, most in allowed.items()
        if most is not None
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest rank: a value that was measured, not one in between."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def _within(found: float | None, allowed: float) -> bool:
    return found is not None and found <= allowed


def _span_ms(start_s: float, end_s: float | None) -> float | None:
    return None if end_s is None else max(0.0, (end_s - start_s) * 1e3)


def _absence(record: DrillRecord) -> tuple[Move | None, Move | None, float | None]:
    """When the tier went out of service, when it was back in, and how long its new worker took to load."""
    own = [move for move in record.moves if move.tier == record.faulted and move.at_s >= record.fault_start_s]
    down = next((move for move in own if move.state != _SERVING), None)
    up = next((move for move in own if down is not None and move.state == _SERVING and move.at_s >= down.at_s), None)
    return down, up, _load_s(own)


def _next_answer_s(record: DrillRecord, start_s: float) -> float | None:
    """The first answer of another tier after the fault; None for a fault of no tier."""
    others = (each for each in record.asked if record.faulted and each.tier not in {"", record.faulted})
    return min((each.done_s for each in others if each.done_s >= start_s), default=None)


def _is_lie(asked: Asked, faulted: str, start_s: float) -> bool:
    return asked.tier == faulted and asked.done_s >= start_s


def _again_s(record: DrillRecord, down: Move | None, up: Move | None) -> float | None:
    """When all was as before, on this machine's clock; None: never."""
    if down is None:
        return record.fault_end_s - record.clock_ahead_s
    return up.at_s - record.clock_ahead_s if up is not None else None


def _cause_end_s(record: DrillRecord, down: Move) -> float:
    """A fault of a process ends with it, when the tier is taken out; one of a device when it is taken back."""
    return down.at_s if record.ends_with_process else max(down.at_s, record.fault_end_s)


def _load_s(own: Sequence[Move]) -> float | None:
    """From the last start of a worker to its readiness for probation."""
    ready = next((index for index, move in enumerate(own) if move.state == "PROBATION"), None)
    if ready is None:
        return None
    started = [move.at_s for move in own[:ready] if move.state == "STARTING"]
    return own[ready].at_s - started[-1] if started else None


def _phases(record: DrillRecord, start_s: float, back_at_s: float | None) -> tuple[Phase, ...]:
    end_s = float("inf") if back_at_s is None else back_at_s
    return (
        _phase("before", [each for each in record.asked if each.intended_s < start_s]),
        _phase("during", [each for each in record.asked if start_s <= each.intended_s < end_s]),
        _phase("after", [each for each in record.asked if each.intended_s >= end_s]),
    )


def _phase(name: str, asked: Sequence[Asked]) -> Phase:
    latencies = [each.latency_ms for each in asked if each.tier]
    return Phase(
        name=name,
        asked=len(asked),
        lost=sum(not each.tier for each in asked),
        shares=dict(Counter(each.tier for each in asked if each.tier)),
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
    )
