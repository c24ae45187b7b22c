"""Cumulative sums over alerts: early, and rarely wrong."""

import numpy as np
import pytest

from stepdown.drift.alert_rate import AlertRate, AlertRatePolicy

POLICY = AlertRatePolicy(factor=1.5, answers_between_alarms=20_000)


def run_until_moved(watched: AlertRate, rate: float, *, seed: int, most: int) -> int | None:
    chance = np.random.default_rng(seed)
    for block in range(most // 50):
        watched.count(alerts=int(chance.binomial(50, rate)), answers=50)
        if watched.moved:
            return (block + 1) * 50
    return None


def test_half_as_many_again_is_seen_within_a_few_hundred_answers() -> None:
    delays = [run_until_moved(AlertRate(0.2, POLICY), 0.3, seed=seed, most=5000) for seed in range(100)]
    assert None not in delays
    assert np.median([delay for delay in delays if delay]) <= 500


def test_a_fall_is_seen_as_a_fall() -> None:
    watched = AlertRate(0.2, POLICY)
    assert run_until_moved(watched, 0.1, seed=1, most=5000)
    assert watched.moved == -1
    assert watched.share_of_limit >= 1


def test_false_alarms_keep_to_the_budget() -> None:
    lengths = [run_until_moved(AlertRate(0.1, POLICY), 0.1, seed=seed, most=200_000) or 200_000 for seed in range(30)]
    assert np.mean(lengths) >= 10_000  # two sides of 20,000 each


def test_answers_of_one_stay_are_worth_less() -> None:
    watched = AlertRate(0.1, POLICY)
    watched.count(alerts=50, answers=50, worth=0.01)
    assert watched.moved == 0
    assert (watched.alerts, watched.answers) == (50, 50)


def test_an_acknowledged_alarm_starts_again() -> None:
    watched = AlertRate(0.1, POLICY)
    watched.count(alerts=50, answers=50)
    assert watched.moved == 1
    watched.reset()
    assert watched.moved == 0
    assert watched.share_of_limit == 0


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_reference_without_alerts_or_without_calm_cannot_be_watched(rate: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        AlertRate(rate, POLICY)
