"""When a failure was noticed, when the next tier stood in, and when the first one was back."""

from dataclasses import replace

import pytest

from loadtests.milestones import cause_end_s, detected_ms, fell_back_ms, recovered_s
from loadtests.record import PlayedStep
from tests.unit.loadtests.scenario_records import (
    BACK_S,
    FAULT_END_S,
    FAULT_S,
    LOST_DEVICE,
    MOVES,
    OUTCOMES,
    move,
    outcome,
    record,
)

KILLED = replace(LOST_DEVICE, until_s=None)


def test_times_of_a_lost_device_count_from_the_fault_and_from_its_end() -> None:
    assert detected_ms(record()) == pytest.approx(15)
    assert fell_back_ms(record()) == pytest.approx(10)
    assert cause_end_s(record()) == FAULT_END_S
    assert recovered_s(record()) == pytest.approx(BACK_S - FAULT_END_S)


def test_a_fault_of_one_process_ends_when_its_tier_is_taken_out() -> None:
    assert cause_end_s(record(steps=(KILLED,))) == pytest.approx(FAULT_S + 0.015)
    assert recovered_s(record(steps=(KILLED,))) == pytest.approx(BACK_S - FAULT_S, abs=1.0)


def test_what_did_not_happen_is_none() -> None:
    never_out = record(moves=MOVES[:3])
    assert detected_ms(never_out) is None
    never_back = record(outcomes=tuple(replace(each, tier="rules") for each in OUTCOMES))
    assert recovered_s(never_back) is None
    nobody_else = record(outcomes=tuple(replace(each, tier="full") for each in OUTCOMES))
    assert fell_back_ms(nobody_else) is None
    peace = record(steps=())
    assert (detected_ms(peace), fell_back_ms(peace), recovered_s(peace)) == (None, None, None)


def test_of_several_faults_the_worst_counts() -> None:
    second = replace(KILLED, at_s=15.0)
    moves = (*MOVES, move(15.4, "full", "SUSPENDED"), move(16.0, "full", "SERVING"))
    late = tuple(replace(each, tier="distilled") if 15.3 <= each.intended_s < 16 else each for each in OUTCOMES)
    twice = record(steps=(LOST_DEVICE, second), moves=moves, outcomes=late)
    assert detected_ms(twice) == pytest.approx(400)
    assert fell_back_ms(twice) == pytest.approx(310)


def test_both_models_lost_at_once_are_one_failure_and_each_must_be_noticed() -> None:
    both = (LOST_DEVICE, replace(LOST_DEVICE, at_s=FAULT_S + 0.02, tiers=("distilled",)))
    assert detected_ms(record(steps=both)) is None
    noticed = (*MOVES, move(FAULT_S + 0.05, "distilled", "SUSPENDED"))
    rules = tuple(replace(each, tier="rules") if each.tier == "distilled" else each for each in OUTCOMES)
    lost = record(steps=both, moves=noticed, outcomes=rules)
    assert detected_ms(lost) == pytest.approx(30)
    assert fell_back_ms(lost) == pytest.approx(90)


def test_an_answer_for_a_patient_whom_no_model_suits_is_neither_fallback_nor_failure_to_recover() -> None:
    unsuited = outcome(FAULT_S + 0.001, "rules", latency_ms=1, unsuited=True)
    assert fell_back_ms(record(outcomes=(*OUTCOMES, unsuited))) == pytest.approx(10)
    often = tuple(outcome(number / 10, "rules", unsuited=True) for number in range(100, 200))
    assert recovered_s(record(outcomes=(*OUTCOMES, *often))) == recovered_s(record())


def test_one_good_second_is_not_yet_recovery() -> None:
    relapse = tuple(replace(each, tier="rules") if 13 <= each.intended_s < 14 else each for each in OUTCOMES)
    assert recovered_s(record(outcomes=relapse)) == pytest.approx(14 - FAULT_END_S)


def test_a_surge_is_a_cause_and_ends_when_it_ends() -> None:
    assert cause_end_s(record(steps=(), surge=(5.0, 11.0))) == 11.0
    assert recovered_s(record(steps=(), surge=(5.0, 11.0))) == pytest.approx(1.0)


def test_a_restart_is_a_cause_without_a_tier() -> None:
    restarted = record(steps=(PlayedStep(at_s=5.0, name="server 0 restarted", until_s=9.5),))
    assert detected_ms(restarted) is None
    assert recovered_s(restarted) == pytest.approx(3.0, abs=0.6)
