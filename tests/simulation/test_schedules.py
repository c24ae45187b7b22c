"""The engine under seeded faults. A failing seed is printed; `python -m tests.simulation SEED` replays it."""

import pytest

from stepdown.domain.errors import StepdownError
from tests.simulation.invariants import Violation
from tests.simulation.planted import PLANTED, planted
from tests.simulation.schedule import run_schedule

CHUNKS = 40
SEEDS_PER_CHUNK = 500
HUNT = 3000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", [0, *(pytest.param(n, marks=pytest.mark.unmeasured) for n in range(1, CHUNKS))])
def test_no_schedule_of_faults_breaks_a_promise(chunk: int) -> None:
    for seed in range(chunk * SEEDS_PER_CHUNK, (chunk + 1) * SEEDS_PER_CHUNK):
        try:
            run_schedule(seed)
        except (Violation, StepdownError) as broken:
            pytest.fail(f"seed {seed}: {broken!r}; replay with: python -m tests.simulation {seed}")


def test_a_seed_replays_to_the_same_answers_and_moves() -> None:
    first, second = run_schedule(7), run_schedule(7)
    assert (first.ledger.answers, first.ledger.moves) == (second.ledger.answers, second.ledger.moves)


def test_schedules_visit_every_tier_and_leave_some_requests_without_an_answer() -> None:
    worlds = [run_schedule(seed) for seed in range(40)]
    for tier in ("full", "distilled", "rules", "none"):
        assert sum(world.ledger.answers[tier] for world in worlds) > 40


@pytest.mark.timeout(600)
@pytest.mark.unmeasured
@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_found(bug: str) -> None:
    with planted(bug):
        for seed in range(HUNT):
            try:
                run_schedule(seed)
            except (Violation, StepdownError, KeyError, IndexError, AttributeError):
                return
    pytest.fail(f"{HUNT} schedules did not find: {bug}")
