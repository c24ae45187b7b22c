from itertools import accumulate
from random import Random

import pytest

from stepdown.resilience.latency import LatencyTrack


def test_knows_nothing_before_the_first_observation() -> None:
    assert LatencyTrack().quantile_s(0.5) is None


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_is_within_ten_percent_of_the_exact_quantile_of_what_fades(share: float) -> None:
    draw = Random(3)
    samples = [draw.lognormvariate(-6.0, 0.7) for _ in range(400)]
    track = LatencyTrack()
    for sample in samples:
        track.observe(sample)
    weighed = sorted((sample, 1.01**age) for age, sample in enumerate(samples))
    total = sum(weight for _, weight in weighed)
    heaps = accumulate(weight for _, weight in weighed)
    exact = next(sample for (sample, _), heap in zip(weighed, heaps, strict=True) if heap >= share * total)
    found = track.quantile_s(share)
    assert found is not None
    assert exact <= found * 1.001
    assert found <= exact * 1.1


def test_forgets_what_was_long_ago() -> None:
    track = LatencyTrack()
    for _ in range(600):
        track.observe(1.0)
    for _ in range(3000):
        track.observe(0.001)
    median_s = track.quantile_s(0.5)
    assert median_s is not None
    assert median_s < 0.0012


def test_follows_a_device_that_becomes_five_times_slower_and_one_that_recovers() -> None:
    track = LatencyTrack()
    for _ in range(1000):
        track.observe(0.004)
    for _ in range(10):
        track.observe(0.020)
    assert (track.quantile_s(0.95) or 0.0) > 0.019
    for _ in range(80):
        track.observe(0.020)
    assert (track.quantile_s(0.5) or 0.0) > 0.019
    for _ in range(90):
        track.observe(0.004)
    assert (track.quantile_s(0.5) or 1.0) < 0.005
    for _ in range(220):
        track.observe(0.004)
    assert (track.quantile_s(0.95) or 1.0) < 0.005


def test_one_slow_run_in_a_hundred_moves_no_high_quantile() -> None:
    track = LatencyTrack()
    for number in range(500):
        track.observe(1.0 if number % 100 == 99 else 0.004)
    assert (track.quantile_s(0.95) or 1.0) < 0.005


def test_its_memory_neither_overflows_nor_stops_forgetting() -> None:
    track = LatencyTrack()
    for _ in range(200_000):
        track.observe(0.004, weight=16.0)
    for _ in range(500):
        track.observe(0.001)
    assert (track.quantile_s(0.99) or 1.0) < 0.0012


def test_extremes_land_in_the_outer_buckets() -> None:
    track = LatencyTrack()
    track.observe(0.0)
    track.observe(1e9)
    low, high = track.quantile_s(0.1), track.quantile_s(1.0)
    assert low is not None
    assert high is not None
    assert low < 2e-5
    assert 40 < high < 60


def test_a_weighted_observation_counts_as_many() -> None:
    track = LatencyTrack()
    track.observe(0.001, weight=1.0)
    track.observe(1.0, weight=16.0)
    median_s = track.quantile_s(0.5)
    assert median_s is not None
    assert median_s > 0.9
