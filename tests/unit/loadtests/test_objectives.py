"""Objectives: what did not happen is not met, nothing excuses a wrong label, and a poor machine convicts nobody."""

from pathlib import Path

import pytest

from loadtests.measures import measure
from loadtests.objectives import ConditionLimits, Objectives, Verdict, doubts, judge, read_objectives, verdict
from loadtests.record import MachineUse
from stepdown.domain.errors import ConfigurationError
from tests.unit.loadtests.scenario_records import MOVES, OUTCOMES, outcome, record

QUIET = MachineUse(cores=2, server=0.4, generator=0.2, others=0.1)
BUSY = MachineUse(cores=2, server=0.1, generator=0.1, others=0.8)


def unmet(objectives: Objectives, **changes: object) -> list[str]:
    made = record(**changes)  # type: ignore[arg-type]
    return [each.objective for each in judge(measure(made, capacity_per_s=20, late_ms=50), objectives) if not each.met]


def test_the_most_and_the_least_that_is_asked_may_just_be_reached() -> None:
    assert unmet(Objectives(lost=0, mislabelled=0, detected_ms=15.001, first_tier_share=0.65, availability=1)) == []
    assert unmet(Objectives(detected_ms=14, first_tier_share=0.66)) == ["detected_ms", "first_tier_share"]


def test_what_did_not_happen_is_not_met() -> None:
    assert unmet(Objectives(detected_ms=100), moves=MOVES[:3]) == ["detected_ms"]


def test_a_scenario_adds_to_what_all_must_show_or_asks_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[every]\nlost = 0\nmislabelled = 0\n[scenario.surge]\nlost = 'any'\np99_ms = 9\n")
    read = read_objectives(path)
    assert read.of("surge") == Objectives(lost="any", mislabelled=0, p99_ms=9)
    assert read.of("anything") == Objectives(lost=0, mislabelled=0)
    assert unmet(read.of("surge"), outcomes=(outcome(1.0, ""), outcome(2.0, latency_ms=9))) == []


@pytest.mark.parametrize("text", ["[every]\nlosses = 0\n", "[every]\navailability = 1.5\n", "["])
def test_a_file_with_a_wrong_key_or_value_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError):
        read_objectives(path)


def judged(objectives: Objectives, *, late: bool = False, busy: bool = False, **changes: object) -> Verdict:
    made = record(**changes)  # type: ignore[arg-type]
    return verdict(judge(measure(made, capacity_per_s=20, late_ms=50), objectives), late=late, busy=busy)


def test_a_late_generator_says_nothing_and_a_busy_machine_only_excuses() -> None:
    easy, hard = Objectives(lost=0), Objectives(p99_ms=1)
    assert [judged(each) for each in (easy, hard)] == [Verdict.MET, Verdict.NOT_MET]
    assert [judged(each, late=True) for each in (easy, hard)] == [Verdict.INVALID, Verdict.INVALID]
    assert [judged(each, busy=True) for each in (easy, hard)] == [Verdict.MET, Verdict.INVALID]


def test_nothing_excuses_a_wrong_label() -> None:
    wrong = (outcome(1.0, label_faults=("answers another request",)),)
    assert judged(Objectives(mislabelled=0), late=True, busy=True, outcomes=wrong) is Verdict.NOT_MET


def test_what_makes_a_run_doubtful_is_said_in_words() -> None:
    limits = ConditionLimits()
    fine = measure(record(), capacity_per_s=20, late_ms=50)
    assert doubts(fine, QUIET, limits).text == ""
    assert doubts(fine, None, limits).busy is False
    late = measure(record(outcomes=(*OUTCOMES, *[outcome(3.0, late_ms=80)] * 9)), capacity_per_s=20, late_ms=50)
    both = doubts(late, BUSY, limits)
    assert (both.late, both.busy) == (True, True)
    assert "50 ms late in 4.3% of cases, and other programs used 80%" in both.text
    assert doubts(measure(record(outcomes=()), capacity_per_s=20, late_ms=50), QUIET, limits).late
