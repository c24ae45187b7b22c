from pathlib import Path

import pytest

from tests.simulation.campaign import Campaign, broken_in, keep
from tests.simulation.planted import planted
from tests.simulation.schedule import draw_schedule
from tests.simulation.shrinking import broken_by, shrunk
from tests.simulation.steps import Ask, Schedule, read, written

BUG = "requests of a dead worker forgotten"


def first_broken() -> int:
    return next(seed for seed in range(1000) if broken_by(draw_schedule(seed)))


def test_a_schedule_that_breaks_a_promise_is_made_small_and_breaks_the_same() -> None:
    with planted(BUG):
        found = draw_schedule(first_broken())
        smallest = shrunk(found)
        assert broken_by(smallest) == broken_by(found) != ""
        assert len(smallest.steps) <= 5 < len(found.steps)
    assert broken_by(smallest) == ""


def test_a_schedule_that_holds_cannot_be_made_small() -> None:
    with pytest.raises(ValueError, match="breaks nothing"):
        shrunk(draw_schedule(0))


def test_what_is_not_needed_is_dropped_and_what_is_needed_is_made_plain() -> None:
    def breaks(schedule: Schedule) -> str:
        asks = [step for step in schedule.steps if isinstance(step, Ask)]
        return "many" if any(ask.count > 2 for ask in asks) else ""

    seed = next(seed for seed in range(100) if breaks(draw_schedule(seed)))
    smallest = shrunk(draw_schedule(seed), breaks=breaks)
    (step,) = smallest.steps
    assert isinstance(step, Ask)
    assert step.count == 3
    assert (step.rows, step.times, step.cancel_after_s) == (1, 1, None)


@pytest.mark.parametrize("seed", range(20))
def test_a_schedule_is_read_as_it_was_written(seed: int) -> None:
    schedule = draw_schedule(seed)
    assert read(written(schedule)) == schedule


def test_a_written_schedule_says_what_each_step_does_and_no_more() -> None:
    text = written(Schedule(seed=1, trouble_s=0.5, steps=(Ask(at_s=0.1, budget_s=0.5),)))
    assert "urgency" not in text
    assert '"act": "ask"' in text


def test_a_campaign_finds_keeps_and_counts(tmp_path: Path) -> None:
    with planted(BUG):
        seed = first_broken()
        ((found, broken),) = broken_in(range(seed, seed + 1))
        file = keep(found, broken, tmp_path)
        kept = read(file.read_bytes())
        assert broken_by(kept) == broken
    assert len(kept.steps) <= 5


@pytest.mark.timeout(300)
@pytest.mark.unmeasured
def test_a_campaign_runs_its_range_and_says_where_it_stands(tmp_path: Path) -> None:
    lines: list[str] = []
    campaign = Campaign(first=100, count=300, processes=2, say=lines.append, folder=tmp_path)
    assert campaign.run()
    assert campaign.done == 300
    assert lines[-1].startswith("300 of 300 schedules")
    assert lines[-1].endswith("(next seed 400)")
    assert list(tmp_path.iterdir()) == []
