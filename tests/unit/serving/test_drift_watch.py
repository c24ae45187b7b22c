"""A pathway's input and answers against the references of its tiers."""

from dataclasses import replace

import numpy as np
import pytest

from stepdown.clinical.channels import GRID_COLUMN
from stepdown.domain.bands import Band
from stepdown.domain.drift import DriftSample, DriftSignal, DriftState
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS
from stepdown.drift.policy import DriftPolicy
from stepdown.serving.drift_watch import DriftWatch, TierReference, newest
from tests.fakes.drift_references import DECILES, reference

AGE = {"edges": [1.0, 6.0], "counts": [1000, 0, 0]}
HR_ALONE = {
    "HR": {"edges": DECILES, "counts": [100] * 10, "missing": 0, "age_h": AGE},
    "ICULOS": {"edges": [], "counts": [1000], "missing": 0, "age_h": AGE},
    "Unheard": {"edges": [], "counts": [1000], "missing": 0, "age_h": AGE},
}
FULL = TierReference(tier="full", bundle_sha256="f" * 64, reference=reference(channels=HR_ALONE))
DISTILLED = TierReference(tier="distilled", bundle_sha256="d" * 64, reference=reference(channels=HR_ALONE))
EMPTY = replace(FULL, reference=reference(rows=0, encounters=0, channels={}))


def cells(heart_rate: float, *, hours_ago: int = 0) -> bytes:
    grid = np.full((GRID_HOURS, GRID_COLUMNS), np.nan, dtype="<f4")
    grid[GRID_HOURS - 1 - hours_ago, GRID_COLUMN["HR"]] = heart_rate
    return grid.tobytes()


def samples(*, first: int = 0, heart_rate: float | None = None) -> list[DriftSample]:
    chance = np.random.default_rng(first)
    return [
        DriftSample(
            pathway="sepsis",
            cells=cells(heart_rate if heart_rate is not None else float(chance.uniform(0, 100))),
            encounter=first + number,
        )
        for number in range(250)
    ]


def alerts_of(tier: TierReference, made: list[DriftSample]) -> list[DriftSample]:
    return [replace(each, bundle_sha256=tier.bundle_sha256, probability=0.5, band=Band.HIGH) for each in made]


def watch(*references: TierReference) -> DriftWatch:
    return DriftWatch("sepsis", references, DriftPolicy())


def test_quiet_traffic_tells_nothing() -> None:
    watched = watch(FULL)
    assert watched.take(samples(), 0.0) == ()
    report = watched.report()
    assert (report.state, report.assessments, report.window_rows) == (DriftState.STEADY, 250, 250)
    assert {reading.channel for reading in report.inputs} == {"HR"}


def test_a_stuck_sensor_is_told_once_and_its_end_too() -> None:
    watched = watch(FULL)
    began = watched.take(samples(heart_rate=55.0), 0.0)
    assert [(each.channel, each.signal, each.tier, each.drifting) for each in began] == [
        ("HR", DriftSignal.VALUE, "", True)
    ]
    assert watched.take(samples(first=300, heart_rate=55.0), 1.0) == ()
    assert watched.report().state is DriftState.DRIFTING
    ended = [change for at in range(2) for change in watched.take(samples(first=1000 * (at + 1)), 2.0)]
    assert [change.drifting for change in ended] == [False]


def test_each_tier_is_compared_with_itself() -> None:
    watched = watch(FULL, DISTILLED)
    blocks = [alerts_of(DISTILLED, samples(first=300 * at)) for at in range(2)]
    changes = [change for block in blocks for change in watched.take(block, 0.0)]
    assert {each.tier for each in changes} == {"distilled"}
    assert {each.signal for each in changes} == {DriftSignal.SCORE, DriftSignal.BAND, DriftSignal.ALERT_RATE}
    states = dict(watched.report().tiers)
    assert {reading.state for reading in states["full"]} == {DriftState.INSUFFICIENT}


def test_answers_without_a_score_count_as_input_alone() -> None:
    watched = watch(FULL)
    watched.take(samples(), 0.0)
    watched.take([replace(each, bundle_sha256=FULL.bundle_sha256) for each in samples(first=300)], 1.0)
    assert dict(watched.report().tiers)["full"][0].size == 0


def test_an_acknowledgement_ends_every_alarm() -> None:
    watched = watch(FULL)
    began = watched.take(alerts_of(FULL, samples(heart_rate=55.0)), 0.0)
    ended = watched.acknowledge()
    assert {(each.tier, each.channel) for each in began} == {(each.tier, each.channel) for each in ended}
    assert not any(each.drifting for each in ended)
    assert watched.report().state is DriftState.INSUFFICIENT


def test_without_a_reference_there_is_nothing_to_tell() -> None:
    watched = watch(EMPTY)
    assert not watched.has_reference
    assert watched.take(samples(heart_rate=55.0), 0.0) == ()
    assert watched.acknowledge() == ()
    report = watched.report()
    assert (report.state, report.inputs, report.tiers) == (DriftState.INSUFFICIENT, (), ())


def test_no_answers_are_no_block() -> None:
    assert watch(FULL).take([], 0.0) == ()


def test_the_most_surprising_signal_stands_first() -> None:
    watched = watch(FULL)
    watched.take(samples(heart_rate=55.0), 0.0)
    concern = watched.report().by_concern()
    assert concern[0][1].signal is DriftSignal.VALUE
    assert len(concern) == 6


@pytest.mark.parametrize("hours_ago", [0, 1, 47])
def test_the_newest_value_is_found_with_its_age(hours_ago: int) -> None:
    values, ages_h = newest([cells(80.0, hours_ago=hours_ago), cells(float("nan"))])
    column = GRID_COLUMN["HR"]
    assert values[0, column] == 80.0
    assert ages_h[0, column] == hours_ago
    assert np.isnan(values[1]).all()
    assert np.isnan(ages_h[1]).all()
