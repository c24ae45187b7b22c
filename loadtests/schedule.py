"""When each encounter is asked about. Decided before anything is sent, so no slow answer can put off a question.

Pure: the same load, rate and seed always give the same schedule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from loadtests.scenario import Load, ProfileName, Scenario

SWEEP: ProfileName = "ward-round"
"""The profile whose callers wait for seconds, not for a screen: its latencies stand apart."""

URGENCIES = ("routine", "urgent", "emergency")
_URGENCY_SHARES = (0.8, 0.15, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a kind of caller is like.

    `independent`: arrivals are a Poisson process, as of many who know nothing of one another; else a regular beat.
    `deadline_ms`: from sending to the last moment at which an answer still counts.
    """

    share: float
    callers: int
    size: int
    deadline_ms: float
    independent: bool


PROFILES: dict[ProfileName, Profile] = {
    "steady": Profile(share=0.25, callers=4, size=1, deadline_ms=500.0, independent=True),
    "ward-round": Profile(share=0.08, callers=1, size=24, deadline_ms=2000.0, independent=False),
    "monitor-feed": Profile(share=0.08, callers=8, size=1, deadline_ms=500.0, independent=False),
    # A backlog let loose: small batches, so that ten times the capacity does not cost the generator ten times as much.
    "surge-10x": Profile(share=10.0, callers=4, size=8, deadline_ms=500.0, independent=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One call, or one message of a stream: when, in seconds after t = 0, and how many encounters."""

    at_s: float
    size: int
    urgency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One caller, with a connection of its own, and all that it will ever ask."""

    profile: ProfileName
    deadline_s: float
    arrivals: tuple[Arrival, ...]


def encounters_per_s(load: Load, *, capacity_per_s: float, limit_per_s: float) -> float:
    """How many encounters a second a load comes to on this machine."""
    share = PROFILES[load.profile].share if load.share is None else load.share
    return min(share * capacity_per_s, limit_per_s)


def lines(scenario: Scenario, *, capacity_per_s: float, limit_per_s: float, seed: int) -> tuple[Line, ...]:
    """Every caller of a scenario. The warm-up has negative times."""
    return tuple(
        line
        for number, load in enumerate(scenario.load)
        for line in _lines(
            scenario,
            load,
            rate_per_s=encounters_per_s(load, capacity_per_s=capacity_per_s, limit_per_s=limit_per_s),
            # Seeded with a text: a tuple would be hashed, and hashes differ from process to process.
            chance=Random(f"{seed} {number}"),  # noqa: S311 - to be repeatable is what is wanted
        )
    )


def _lines(scenario: Scenario, load: Load, *, rate_per_s: float, chance: Random) -> Iterator[Line]:
    profile = PROFILES[load.profile]
    size, callers = load.size or profile.size, load.callers or profile.callers
    first_s = -scenario.warm_s if load.from_s == 0 else load.from_s
    gap_s = size * callers / rate_per_s
    for caller in range(callers):
        if profile.independent:
            times = _poisson(first_s, scenario.end_s(load), gap_s, chance)
        else:
            times = _beat(first_s + gap_s * (caller + 1) / (callers + 1), scenario.end_s(load), gap_s)
        yield Line(
            profile=load.profile,
            deadline_s=(load.deadline_ms or profile.deadline_ms) / 1e3,
            arrivals=tuple(
                Arrival(at_s=at_s, size=size, urgency=chance.choices(URGENCIES, _URGENCY_SHARES)[0]) for at_s in times
            ),
        )


def _poisson(first_s: float, end_s: float, gap_s: float, chance: Random) -> Iterator[float]:
    at_s = first_s + chance.expovariate(1 / gap_s)
    while at_s < end_s:
        yield at_s
        at_s += chance.expovariate(1 / gap_s)


def _beat(first_s: float, end_s: float, gap_s: float) -> Iterator[float]:
    count = 0
    while (at_s := first_s + count * gap_s) < end_s:
        yield at_s
        count += 1
