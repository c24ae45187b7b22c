"""Figures: what counts as lost, by whom and how fast the answers came, and how late the generator was."""

from dataclasses import replace

import pytest

from loadtests.measures import Measures, in_service, measure
from loadtests.record import Pulse, ScenarioRecord
from tests.unit.loadtests.scenario_records import BACK_S, FAULT_S, LENGTH_S, MOVES, OUTCOMES, outcome, record


def measured(made: ScenarioRecord) -> Measures:
    return measure(made, capacity_per_s=20.0, late_ms=50.0)


def test_the_warm_up_is_not_judged() -> None:
    cold = tuple(replace(each, tier="", failure="cold") if each.intended_s < 0 else each for each in OUTCOMES)
    measures = measured(record(outcomes=cold))
    assert (measures.asked, measures.lost, measures.availability, measures.failures) == (200, 0, 1.0, {})


def test_each_tier_has_its_time_in_service_its_share_and_its_percentiles() -> None:
    full, distilled, rules = measured(record()).tiers
    assert full.in_service == pytest.approx(1 - (BACK_S - 0.1 - FAULT_S - 0.015) / LENGTH_S)
    assert (full.share, distilled.share, rules.share) == (0.65, 0.35, 0.0)
    assert (distilled.in_service, rules.in_service) == (1.0, 1.0)
    assert full.answers.p99_9_ms == pytest.approx(10)
    assert rules.answers.p50_ms is None


def test_a_tier_of_which_nothing_is_known_was_in_service_for_no_known_time() -> None:
    assert in_service("full", (), LENGTH_S) is None


def test_percentiles_are_of_values_that_were_measured_from_the_intended_moment() -> None:
    many = tuple(outcome(number / 100, latency_ms=number + 1, late_ms=number / 2) for number in range(1000))
    measures = measured(record(outcomes=many))
    assert [measures.p50_ms, measures.p99_ms, measures.p99_9_ms] == pytest.approx([500, 990, 999])


def test_the_lost_the_mislabelled_and_the_urgent_are_counted() -> None:
    some = (
        outcome(1.0, urgency="emergency"),
        outcome(2.0, "", urgency="emergency"),
        outcome(3.0, label_faults=("answers another request",), profile="ward-round"),
        outcome(4.0, "rules", unsuited=True),
    )
    measures = measured(record(outcomes=some))
    assert (measures.lost, measures.mislabelled, measures.availability) == (1, 1, 0.75)
    assert measures.emergency_availability == 0.5
    assert measures.first_tier_share == 1.0
    assert measures.failures == {"DEADLINE_EXCEEDED": 1, "answers another request": 1}
    assert {group.name: (group.asked, group.lost) for group in measures.profiles} == {
        "steady": (3, 1),
        "ward-round": (1, 0),
    }
    assert {group.name: group.availability for group in measures.urgencies} == {"emergency": 0.5, "routine": 1.0}


def test_goodput_counts_answers_given_during_the_surge() -> None:
    assert measured(record()).surge_goodput is None
    assert measured(record(surge=(4.0, 8.0))).surge_goodput == pytest.approx(0.5, abs=0.02)


def test_what_is_lost_while_a_backlog_is_worked_off_is_not_outside_the_surge() -> None:
    lost = tuple(outcome(at_s, "") for at_s in (3.9, 4.0, 7.9, 9.9, 10.0))
    assert measured(record(outcomes=lost)).lost_outside_surge is None
    assert measured(record(outcomes=lost, surge=(4.0, 8.0))).lost_outside_surge == 2


def test_a_sweep_has_latencies_of_its_own() -> None:
    mixed = (outcome(1.0), outcome(2.0, profile="ward-round", latency_ms=900))
    measures = measured(record(outcomes=mixed))
    assert measures.p99_9_ms == pytest.approx(10)
    assert {group.name: group.p50_ms for group in measures.profiles} == pytest.approx({"steady": 10, "ward-round": 900})


def test_a_late_send_and_a_late_heartbeat_both_count_against_the_generator() -> None:
    sends = (outcome(1.0, late_ms=60.0), *(outcome(float(n)) for n in range(2, 5)))
    assert measured(record(outcomes=sends)).generator.late_share == 0.25
    beats = (Pulse(at_s=1.0, late_s=0.2), Pulse(at_s=2.0, late_s=0.0), Pulse(at_s=-1.0, late_s=9.0))
    figures = measured(record(pulses=beats)).generator
    assert (figures.late_share, figures.worst_late_ms) == (0.5, 200.0)


def test_nothing_asked_is_no_figure() -> None:
    empty = measured(record(outcomes=(), pulses=(), moves=MOVES[:0]))
    assert (empty.asked, empty.availability, empty.p50_ms, empty.first_tier_share) == (0, None, None, None)
    assert empty.generator.late_share == 1.0
