"""A scenario in slices of time, as the pictures show it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtests.record import Outcome, ScenarioRecord
from loadtests.schedule import SWEEP
from stepdown.cli.drill.verdict import percentile

_SLICES = 48
_SHORTEST_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What was asked in a slice and how it ended. None: no answer. Latencies are without those of sweeps."""

    at_s: float
    width_s: float
    answers: dict[str, int]
    lost: int
    p50_ms: float | None
    p99_ms: float | None
    worst_ms: float | None

    @property
    def asked(self) -> int:
        """How many were asked about."""
        return sum(self.answers.values()) + self.lost


def slices(record: ScenarioRecord) -> tuple[Slice, ...]:
    """The scenario from t = 0 to its end, in slices of equal width."""
    width_s = max(_SHORTEST_S, record.length_s / _SLICES)
    return tuple(_slices(record, width_s))


def _slices(record: ScenarioRecord, width_s: float) -> Iterator[Slice]:
    sorted_in: dict[int, list[Outcome]] = {}
    for each in record.outcomes:
        if each.intended_s >= 0:
            sorted_in.setdefault(int(each.intended_s / width_s), []).append(each)
    for number in range(round(record.length_s / width_s)):
        yield _slice(sorted_in.get(number, []), record.tiers, at_s=number * width_s, width_s=width_s)


def _slice(asked: Sequence[Outcome], tiers: Sequence[str], *, at_s: float, width_s: float) -> Slice:
    latencies = [each.latency_ms for each in asked if each.tier and each.profile != SWEEP]
    return Slice(
        at_s=at_s,
        width_s=width_s,
        answers={tier: sum(each.tier == tier for each in asked) for tier in tiers},
        lost=sum(not each.tier for each in asked),
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        worst_ms=max(latencies, default=None),
    )
