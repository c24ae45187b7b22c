"""The engine under seeded faults. What a seed breaks is made small by `python -m tests.simulation shrink SEED`."""

from pathlib import Path

import pytest

from tests.simulation.campaign import REGRESSIONS
from tests.simulation.planted import PLANTED, planted
from tests.simulation.play import play
from tests.simulation.schedule import draw_schedule, run_schedule
from tests.simulation.shrinking import broken_by
from tests.simulation.steps import read

CHUNKS = 40
SEEDS_PER_CHUNK = 500
HUNT = 3000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", [0, *(pytest.param(n, marks=pytest.mark.unmeasured) for n in range(1, CHUNKS))])
def test_no_schedule_of_faults_breaks_a_promise(chunk: int) -> None:
    for seed in range(chunk * SEEDS_PER_CHUNK, (chunk + 1) * SEEDS_PER_CHUNK):
        broken = broken_by(draw_schedule(seed))
        assert not broken, f"seed {seed}; make it small with: python -m tests.simulation shrink {seed}"


@pytest.mark.parametrize("case", sorted(REGRESSIONS.glob("*.json")), ids=lambda path: path.stem)
def test_what_once_broke_a_promise_does_not_any_more(case: Path) -> None:
    play(read(case.read_bytes()))


def test_a_seed_replays_to_the_same_answers_and_moves() -> None:
    first, second = run_schedule(7), run_schedule(7)
    assert (first.ledger.answers, first.conduct.moves) == (second.ledger.answers, second.conduct.moves)


def test_schedules_visit_every_tier_and_leave_some_requests_without_an_answer() -> None:
    worlds = [run_schedule(seed) for seed in range(60)]
    for tier in ("full", "distilled", "rules", "none"):
        assert sum(world.ledger.answers.get(tier, 0) for world in worlds) > 40


@pytest.mark.timeout(600)
@pytest.mark.unmeasured
@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_found(bug: str) -> None:
    with planted(bug):
        found = next(filter(None, (broken_by(draw_schedule(seed)) for seed in range(HUNT))), "")
    assert found, f"{HUNT} schedules did not find: {bug}"
    assert not found.startswith(("TypeError", "NameError")), f"what is planted does not fit: {found}"
