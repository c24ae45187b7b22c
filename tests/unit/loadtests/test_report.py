"""The report: slices of time, figures in words, and a page that stands alone."""

import re
from datetime import UTC, datetime

import pytest

from loadtests.measures import measure
from loadtests.objectives import Objectives, Verdict, judge
from loadtests.record import MachineUse
from loadtests.report.bins import slices
from loadtests.report.page import page
from loadtests.report.words import MEANINGS, milliseconds, seconds, share, value
from loadtests.results import Played, Results
from loadtests.scenario import Load, Scenario
from tests.unit.loadtests.scenario_records import LENGTH_S, OUTCOMES, outcome, record

SCENARIO = Scenario(about="A <b>bold</b> test.", length_s=LENGTH_S, load=(Load(profile="steady"),))


def results(*played: Played) -> Results:
    return Results(
        begun=datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
        took_s=61.0,
        conditions={"Servers": "<own>"},
        capacity_per_s=100.0,
        limit_per_s=2000.0,
        scenarios=played,
    )


def played(name: str = "accelerator-lost", objectives: Objectives | None = None) -> Played:
    made = record(machine=MachineUse(cores=2, server=0.4, generator=0.2, others=0.1), surge=(5.0, 6.0))
    measures = measure(made, capacity_per_s=20.0, late_ms=50.0)
    findings = judge(measures, objectives or Objectives(lost=0, detected_ms=20))
    met = all(finding.met for finding in findings)
    return Played(
        name=name,
        scenario=SCENARIO,
        verdict=Verdict.MET if met else Verdict.NOT_MET,
        why="" if met else "detected_ms",
        record=made,
        measures=measures,
        findings=findings,
    )


def test_slices_cover_the_scenario_and_count_everything_that_was_judged() -> None:
    cut = slices(record(outcomes=(*OUTCOMES, outcome(3.0, ""))))
    assert cut[0].at_s == 0
    assert cut[-1].at_s + cut[-1].width_s == pytest.approx(LENGTH_S)
    assert sum(sum(each.answers.values()) for each in cut) == 200
    assert sum(each.lost for each in cut) == 1
    assert cut[0].worst_ms == pytest.approx(10)


def test_a_slice_in_which_nobody_asked_has_no_latency() -> None:
    assert slices(record(outcomes=(outcome(19.0),)))[0].p99_ms is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (milliseconds(3.14), "3.1 ms"),
        (milliseconds(314.15), "314 ms"),
        (milliseconds(None), "—"),
        (seconds(9.04), "9.0 s"),
        (share(1.0), "100%"),
        (share(0.999999), "99.99%"),
        (share(0.0000001), "0.01%"),
        (seconds(None) + share(None), "——"),
        (value("p99_ms", 20), "20 ms"),
        (value("recovered_s", 2), "2.0 s"),
        (value("availability", 0.5), "50.00%"),
        (value("surge_goodput", 0.9), "0.90"),
        (value("lost", 0), "0"),
    ],
)
def test_figures_are_said_in_their_unit_and_never_rounded_to_all_or_nothing(text: str, said: str) -> None:
    assert text == said


def test_every_objective_has_its_meaning_in_words() -> None:
    assert set(MEANINGS) == set(Objectives.model_fields)


def test_the_page_shows_verdicts_figures_and_pictures() -> None:
    text = page(results(played()), {"accelerator-lost": "<svg>drawn</svg>"})
    assert "1 met" in text
    assert "<svg>drawn</svg>" in text
    assert "<b>5.0 s</b> PROVIDER_LOST in full" in text
    assert "Shaded: 5 to 6 s" in text
    assert "Encounters a second: steady 25." in text


def test_the_page_says_in_words_what_was_not_met_and_what_was_not_played() -> None:
    missed = played(objectives=Objectives(detected_ms=1))
    absent = Played(name="own", scenario=SCENARIO, verdict=Verdict.NOT_PLAYED, why="no <server>")
    text = page(results(missed, absent), {"accelerator-lost": ""})
    assert "Not met: fault until the tier is out of service." in text
    assert "Not played: no &lt;server&gt;." in text


def test_the_page_takes_nothing_from_elsewhere_and_text_stays_text() -> None:
    text = page(results(played()), {"accelerator-lost": ""})
    assert re.findall(r"(?:src|href)=[\"'](?!#)|@import|url\(", text) == []
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "&lt;own&gt;" in text
