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
    """The figures of a drill; None: it did not happen. `back_s` is beyond `load_s`, what the worker took to load."""

    lost: int
    mislabelled: int
    detected_ms: float | None
    next_tier_ms: float | None
    load_s: float | None
    back_s: float | None
    late_sends: int
    phases: tuple[Phase, ...]
    doubtful: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One objective: what was allowed, what was found."""

    objective: str
    allowed: float
    found: float | None
    met: bool


def measure(record: DrillRecord, *, doubt: bool) -> Measures:
    """The figures. `doubt`: answers of the tier between fault and detection are listed by request id."""
    start_s = record.fault_start_s - record.clock_ahead_s
    own = [move for move in record.moves if move.tier == record.faulted and move.at_s >= record.fault_start_s]
    down = next((move for move in own if move.state != _SERVING), None)
    up = next((move for move in own if down is not None and move.state == _SERVING and move.at_s >= down.at_s), None)
    load_s = _load_s(own)
    detected_s = down.at_s - record.clock_ahead_s if down else None
    back_at_s = up.at_s - record.clock_ahead_s if up else None
    next_s = min(
        (each.done_s for each in record.asked if each.tier not in {"", record.faulted} and each.done_s >= start_s),
        default=None,
    )
    return Measures(
        lost=sum(not each.tier for each in record.asked),
        mislabelled=sum(each.mislabelled for each in record.asked),
        detected_ms=_span_ms(start_s, detected_s),
        next_tier_ms=_span_ms(start_s, next_s),
        load_s=load_s,
        back_s=None if up is None or down is None else max(0.0, up.at_s - _cause_end_s(record, down) - (load_s or 0.0)),
        late_sends=sum(each.sent_s - each.intended_s > 0.05 for each in record.asked),  # noqa: PLR2004 - a tenth of 500 ms
        # A tier that never left is itself again when the fault is taken back.
        phases=_phases(record, start_s, back_at_s if down else record.fault_end_s - record.clock_ahead_s),
        doubtful=_doubtful(record, start_s, detected_s) if doubt else (),
    )


def judge(measures: Measures, objectives: Objectives) -> tuple[Finding, ...]:
    """Every objective that the drill asks. What did not happen is not met."""
    found: dict[str, float | None] = {
        "lost": measures.lost,
        "mislabelled": measures.mislabelled,
        "detected_ms": measures.detected_ms,
        "next_tier_ms": measures.next_tier_ms,
        "back_s": measures.back_s,
    }
    allowed: dict[str, float | None] = objectives.model_dump()
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


def _cause_end_s(record: DrillRecord, down: Move) -> float:
    """A fault of a process ends with it, when the tier is taken out; one of a device when it is taken back."""
    return max(down.at_s, record.fault_end_s) if record.holds_for_successors else down.at_s


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


def _doubtful(record: DrillRecord, start_s: float, detected_s: float | None) -> tuple[str, ...]:
    end_s = float("inf") if detected_s is None else detected_s
    return tuple(
        each.request_id
        for each in record.asked
        if each.tier == record.faulted and each.done_s >= start_s and each.intended_s <= end_s
    )
