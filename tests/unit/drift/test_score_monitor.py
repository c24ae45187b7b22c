"""What of a tier's answers is told as drift."""

import numpy as np

from stepdown.domain.drift import DriftReading, DriftSignal, DriftState
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.score_monitor import ScoreMonitor
from tests.fakes.drift_references import reference

SCORES = np.array([0.005, 0.015, 0.03, 0.07, 0.2])
BAND_OF_SCORE = np.array([0, 0, 1, 2, 3])


def monitor(**changes: dict[str, int]) -> ScoreMonitor:
    return ScoreMonitor(reference(**changes), DriftPolicy(), alert_from="MEDIUM")


def feed(watched: ScoreMonitor, shares: tuple[float, ...], *, blocks: int = 2, rows: int = 250) -> None:
    chance = np.random.default_rng(3)
    for at in range(blocks):
        drawn = chance.choice(5, size=rows, p=shares)
        watched.observe(
            SCORES[drawn], BAND_OF_SCORE[drawn].astype(np.float64), np.arange(rows) + rows * at, now_s=float(at)
        )


def told(watched: ScoreMonitor) -> dict[DriftSignal, DriftReading]:
    return {each.signal: each for each in watched.readings()}


def test_a_tier_that_says_what_it_always_said_is_steady() -> None:
    watched = monitor()
    feed(watched, (0.4, 0.3, 0.15, 0.1, 0.05))
    assert {each.state for each in watched.readings()} == {DriftState.STEADY}
    assert watched.rows == 500


def test_more_alerts_are_told_as_score_band_and_rate() -> None:
    watched = monitor()
    feed(watched, (0.2, 0.2, 0.2, 0.2, 0.2))
    assert {each.state for each in watched.readings()} == {DriftState.DRIFTING}
    assert told(watched)[DriftSignal.ALERT_RATE].shift > 0.2


def test_nothing_is_said_before_there_is_enough() -> None:
    watched = monitor()
    assert {each.state for each in watched.readings()} == {DriftState.INSUFFICIENT}
    feed(watched, (0, 0, 0, 0, 1.0), blocks=1, rows=8)
    assert {each.state for each in watched.readings()} == {DriftState.INSUFFICIENT}


def test_a_reference_that_never_alerts_has_no_alert_rate() -> None:
    watched = monitor(bands={"LOW": 1000, "LOW_MEDIUM": 0, "MEDIUM": 0, "HIGH": 0})
    feed(watched, (0.4, 0.3, 0.15, 0.1, 0.05))
    watched.acknowledge()
    assert DriftSignal.ALERT_RATE not in told(watched)


def test_an_acknowledged_alarm_begins_again() -> None:
    watched = monitor()
    feed(watched, (0, 0, 0, 0, 1.0))
    watched.acknowledge()
    assert watched.rows == 0
    assert told(watched)[DriftSignal.ALERT_RATE].nats == 0
