from random import Random

import pytest

from stepdown.resilience.latency import LatencyTrack


def test_knows_nothing_before_the_first_observation() -> None:
    assert LatencyTrack().quantile_s(0.5) is None


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_is_within_ten_percent_of_the_exact_quantile(share: float) -> None:
    draw = Random(3)
    samples = [draw.lognormvariate(-6.0, 0.7) for _ in range(400)]
    track = LatencyTrack()
    for sample in samples:
        track.observe(sample)
    exact = sorted(samples)[int(share * len(samples)) - 1]
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
