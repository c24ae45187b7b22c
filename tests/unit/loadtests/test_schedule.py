"""Arrivals: as many as the rate says, at times that nothing but the seed decides."""

from itertools import pairwise

import pytest

from loadtests.scenario import Load, Scenario
from loadtests.schedule import PROFILES, Line, encounters_per_s, lines


def scenario(*loads: Load, length_s: float = 100.0, warm_s: float = 0.0) -> Scenario:
    return Scenario(about="", length_s=length_s, warm_s=warm_s, load=loads)


def all_lines(asked: Scenario, *, capacity_per_s: float = 100.0, seed: int = 1) -> tuple[Line, ...]:
    return lines(asked, capacity_per_s=capacity_per_s, limit_per_s=2000.0, seed=seed)


def encounters(found: tuple[Line, ...]) -> int:
    return sum(arrival.size for line in found for arrival in line.arrivals)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_load_comes_to_its_share_of_the_capacity(profile: str) -> None:
    load = Load.model_validate({"profile": profile})
    wanted = PROFILES[load.profile].share * 100.0 * 100.0
    found = all_lines(scenario(load))
    assert len(found) == PROFILES[load.profile].callers
    assert encounters(found) == pytest.approx(wanted, rel=0.15)


def test_what_a_load_says_itself_comes_before_its_profile() -> None:
    (line,) = all_lines(scenario(Load(profile="steady", share=0.1, callers=1, size=5, deadline_ms=250)))
    assert line.deadline_s == 0.25
    assert {arrival.size for arrival in line.arrivals} == {5}
    assert encounters((line,)) == pytest.approx(1000, rel=0.2)


def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others() -> None:
    asked = scenario(Load(profile="steady"))
    assert all_lines(asked) == all_lines(asked)
    assert all_lines(asked) != all_lines(asked, seed=2)


def test_independent_callers_come_in_a_poisson_process() -> None:
    """Gaps of a Poisson process are spread as widely as their mean; a steady beat would have no spread."""
    times = sorted(a.at_s for line in all_lines(scenario(Load(profile="steady", share=1))) for a in line.arrivals)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance**0.5 / mean == pytest.approx(1.0, abs=0.1)


def test_monitors_keep_a_beat_and_do_not_all_beat_at_once() -> None:
    found = all_lines(scenario(Load(profile="monitor-feed")))
    for line in found:
        gaps = {round(b.at_s - a.at_s, 9) for a, b in pairwise(line.arrivals)}
        assert len(gaps) == 1
    assert len({line.arrivals[0].at_s for line in found}) == len(found)


def test_a_load_keeps_to_its_own_span_and_only_one_from_the_start_warms_up() -> None:
    surge = Load(profile="surge-10x", from_s=4, to_s=6)
    found = all_lines(scenario(Load(profile="steady"), surge, warm_s=3))
    first = [a.at_s for line in found if line.profile == "steady" for a in line.arrivals]
    later = [a.at_s for line in found if line.profile == "surge-10x" for a in line.arrivals]
    assert -3 <= min(first) < 0
    assert min(later) >= 4
    assert max(later) < 6


def test_no_load_is_higher_than_the_limit() -> None:
    surge = Load(profile="surge-10x")
    assert encounters_per_s(surge, capacity_per_s=150, limit_per_s=2000) == 1500
    assert encounters_per_s(surge, capacity_per_s=900, limit_per_s=2000) == 2000


def test_every_urgency_occurs() -> None:
    found = all_lines(scenario(Load(profile="steady", share=1)))
    assert {a.urgency for line in found for a in line.arrivals} == {"routine", "urgent", "emergency"}
