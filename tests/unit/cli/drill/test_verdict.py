"""Figures and verdicts: what counts as lost, when a tier was down and back, and that what did not happen is not met."""

from dataclasses import replace

import pytest

from stepdown.cli.drill.plan import Objectives
from stepdown.cli.drill.record import Move, Sighting
from stepdown.cli.drill.verdict import judge, measure, percentile
from tests.unit.cli.drill.drill_records import ASKED, FAULT_S, MOVES, asked, record


def test_times_count_from_the_fault_and_recovery_counts_beyond_the_load_of_the_worker() -> None:
    measures = measure(record(), lies=False)
    assert (measures.lost, measures.mislabelled, measures.late_sends, measures.wrong_given) == (0, 0, 0, ())
    assert measures.detected_ms == pytest.approx(10)
    assert measures.next_tier_ms == pytest.approx(15)
    assert measures.load_s == pytest.approx(1.0)
    assert measures.back_s == pytest.approx(2.0 - 0.01 - 1.0)


def test_a_fault_of_the_device_ends_when_it_is_taken_back() -> None:
    held = record(ends_with_process=False, fault_end_s=FAULT_S + 0.9)
    assert measure(held, lies=False).back_s == pytest.approx(2.0 - 0.9 - 1.0)


def test_the_servers_clock_may_be_ahead() -> None:
    ahead = record(fault_start_s=FAULT_S + 10, clock_ahead_s=10.0, moves=tuple(_later(each, 10) for each in MOVES))
    measures = measure(ahead, lies=False)
    assert measures.detected_ms == pytest.approx(10)
    assert measures.next_tier_ms == pytest.approx(15)
    assert [phase.asked for phase in measures.phases] == [2, 2, 1]


def test_each_phase_says_who_answered_and_how_fast() -> None:
    before, during, after = measure(record(), lies=False).phases
    assert (before.shares, during.shares) == ({"full": 2}, {"distilled": 2})
    assert [before.p50_ms, during.p99_ms] == [pytest.approx(5), pytest.approx(20)]
    assert (after.asked, after.shares) == (1, {"full": 1})


def test_a_caller_without_an_answer_is_lost_and_has_no_latency() -> None:
    lost = record(asked=(asked(0.1, tier="", failure="DEADLINE_EXCEEDED", latency_ms=500),))
    measures = measure(lost, lies=False)
    assert (measures.lost, measures.next_tier_ms, measures.phases[1].p50_ms) == (1, None, None)
    assert [phase.lost for phase in measures.phases] == [0, 1, 0]


def test_mislabelled_answers_and_late_sends_are_counted() -> None:
    odd = (asked(-0.1, mislabelled=True), asked(0.1, sent_s=FAULT_S + 0.2))
    measures = measure(record(asked=odd), lies=False)
    assert (measures.mislabelled, measures.late_sends) == (1, 1)


def test_answers_of_the_tier_between_fault_and_detection_are_listed_by_id() -> None:
    lies = (asked(-0.5), asked(0.002, wrong=True), asked(0.008, wrong=True), asked(0.009, tier="distilled"), asked(2.5))
    measures = measure(record(asked=lies), lies=True)
    assert (measures.wrong_given, measures.mislabelled) == (("r0.002", "r0.008"), 0)
    assert measures.wrong_ms == pytest.approx(13)
    honest = measure(record(asked=lies), lies=False)
    assert (honest.wrong_given, honest.mislabelled, honest.wrong_ms) == ((), 2, 0.0)


def test_a_wrong_answer_of_a_tier_that_was_not_made_to_lie_is_mislabelled() -> None:
    odd = (asked(-0.5, wrong=True), asked(0.002, tier="distilled", wrong=True))
    measures = measure(record(asked=odd), lies=True)
    assert (measures.wrong_given, measures.mislabelled) == ((), 2)


def test_moves_count_from_when_they_were_heard_of_since_the_servers_clock_may_jump() -> None:
    back_in_time = replace(MOVES[2], at_s=FAULT_S - 3600)
    assert measure(record(faulted="", moves=(*MOVES[:2], back_in_time)), lies=False).moves == 1
    assert measure(record(faulted="", moves=MOVES[:2]), lies=False).moves == 0


def test_a_fault_of_no_tier_has_no_next_tier_and_is_over_when_it_is_taken_back() -> None:
    whole = record(faulted="", ends_with_process=False, fault_end_s=FAULT_S + 2, moves=MOVES[:2])
    measures = measure(whole, lies=False)
    assert (measures.next_tier_ms, measures.detected_ms) == (None, None)
    assert [phase.asked for phase in measures.phases] == [2, 2, 1]


def test_an_alarm_is_timed_from_the_fault_and_its_end_from_the_end_of_the_fault() -> None:
    alarm = Sighting(seen_s=FAULT_S + 0.3, gone_s=FAULT_S + 5.2)
    measures = measure(record(fault_end_s=FAULT_S + 5, alarm=alarm), lies=False)
    assert measures.alarm_ms == pytest.approx(300)
    assert measures.alarm_end_ms == pytest.approx(200)
    silent = measure(record(), lies=False)
    assert [each.met for each in judge(silent, Objectives(alarm_ms=1000))] == [True, True, False]


def test_what_came_instead_of_answers_is_counted() -> None:
    lost = record(asked=(asked(0.1, tier="", failure="UNAVAILABLE"), asked(0.2, tier="", failure="UNAVAILABLE")))
    assert measure(lost, lies=False).failures == {"UNAVAILABLE": 2}


def test_a_tier_that_never_left_is_neither_detected_nor_back() -> None:
    measures = measure(record(moves=MOVES[:2]), lies=True)
    assert (measures.detected_ms, measures.back_s, measures.load_s) == (None, None, None)
    assert [phase.asked for phase in measures.phases] == [2, 0, 3]


def test_a_tier_that_left_and_did_not_come_back_has_no_time_after() -> None:
    measures = measure(record(moves=MOVES[:4]), lies=False)
    assert (measures.back_s, [phase.asked for phase in measures.phases]) == (None, [2, 3, 0])


def test_a_trial_after_a_rest_has_no_load() -> None:
    assert measure(record(moves=(MOVES[2], MOVES[4], MOVES[5])), lies=False).load_s is None


def test_only_what_is_asked_is_judged_and_what_did_not_happen_is_not_met() -> None:
    measures = measure(record(moves=MOVES[:2]), lies=False)
    findings = judge(measures, Objectives(lost=0, detected_ms=20, next_tier_ms=15.5))
    assert [(each.objective, each.met) for each in findings] == [
        ("lost", True),
        ("mislabelled", True),
        ("detected_ms", False),
        ("next_tier_ms", True),
    ]


def test_an_objective_is_met_at_its_value_and_not_beyond() -> None:
    lost = record(asked=(*ASKED, asked(0.1, tier=""), asked(0.2, tier="")))
    measures = measure(lost, lies=False)
    assert judge(measures, Objectives(lost=2))[0].met
    assert not judge(measures, Objectives(lost=1))[0].met


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.99) == 3.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile(range(1, 101), 0.99) == 99


def _later(move: Move, by_s: float) -> Move:
    return replace(move, at_s=move.at_s + by_s)
