"""A verdict that cannot be a bad one is none: each kind of leak, small as it is, must be found, and noise must not."""

import os
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from stepdown.client import AssessmentError
from tests.soak.sampling import Holdings, Sample, sample
from tests.soak.soak import unmet
from tests.soak.tally import Tally
from tests.soak.verdict import Allowance, at_rest, growth, slope

MEBIBYTE = 1 << 20
CALM = Holdings(rss_bytes=200 * MEBIBYTE, pss_bytes=180 * MEBIBYTE, descriptors=24, memory_files=4, threads=39)
WORKER = Holdings(rss_bytes=90 * MEBIBYTE, pss_bytes=None, descriptors=9, memory_files=1, threads=3)


def samples(change: Callable[[int], Holdings] = lambda _: CALM, *, zombies: float = 0.0) -> list[Sample]:
    """Ten minutes, a look each second; workers come and go."""
    chance = random.Random(5)
    return [
        Sample(
            at_s=float(second),
            server=change(second),
            workers=(WORKER,) * chance.choice((0, 1, 2, 2, 2)),
            zombies=int(zombies * second),
        )
        for second in range(600)
    ]


def found(seen: list[Sample]) -> list[str]:
    return [finding.what for finding in growth(seen, Allowance()) if not finding.met]


def test_workers_that_come_and_go_and_a_server_that_breathes_are_no_leak() -> None:
    chance = random.Random(3)

    def breathing(_: int) -> Holdings:
        return replace(
            CALM,
            rss_bytes=CALM.rss_bytes + chance.randrange(30 * MEBIBYTE),
            descriptors=CALM.descriptors + chance.randrange(12),
            threads=CALM.threads + chance.randrange(3),
        )

    assert found(samples(breathing)) == []


def test_caches_that_fill_in_the_first_half_are_no_leak() -> None:
    assert found(samples(lambda s: replace(CALM, rss_bytes=CALM.rss_bytes + min(s, 200) * MEBIBYTE))) == []


@pytest.mark.parametrize(
    ("leak", "named"),
    [
        (lambda s: replace(CALM, rss_bytes=CALM.rss_bytes + s * 40_000), "growth of server_rss_bytes"),
        (lambda s: replace(CALM, pss_bytes=(CALM.pss_bytes or 0) + s * 40_000), "growth of server_pss_bytes"),
        (lambda s: replace(CALM, descriptors=24 + s // 30), "growth of server_descriptors"),
        (lambda s: replace(CALM, memory_files=4 + s // 60), "growth of server_memory_files"),
        (lambda s: replace(CALM, threads=39 + s // 40), "growth of server_threads"),
    ],
)
def test_a_small_and_steady_leak_is_found(leak: Callable[[int], Holdings], named: str) -> None:
    assert found(samples(leak)) == [named]


def test_zombies_are_found() -> None:
    assert found(samples(zombies=0.01)) == ["growth of zombies"]


def test_a_soak_that_nobody_watched_proves_nothing() -> None:
    assert found(samples()[:10]) == ["samples missing"]


def test_at_rest_a_single_descriptor_more_is_one_too_many() -> None:
    before = Sample(at_s=0, server=CALM, workers=(WORKER, WORKER), zombies=0)
    after = replace(before, server=replace(CALM, descriptors=25), zombies=1)
    assert [finding.what for finding in at_rest(before, after) if not finding.met] == [
        "more descriptors at rest",
        "more zombies at rest",
    ]
    assert unmet(at_rest(before, before)) == []


def test_the_slope_is_not_moved_by_what_stands_apart() -> None:
    points = [(float(second), 2.0 * second) for second in range(50)]
    points[7] = (7.0, 1e9)
    assert slope(points) == pytest.approx(2.0)
    assert slope(points[:1]) == 0.0


def test_this_very_process_can_be_looked_at() -> None:
    seen = sample(os.getpid(), at_s=1.0)
    assert seen.server.rss_bytes > MEBIBYTE
    assert seen.server.descriptors > 2
    assert seen.server.threads >= 1


def test_what_should_not_have_been_is_told_and_counted_without_end() -> None:
    tally = Tally({"full": [("digest", ("signer",))]})
    error = AssessmentError(code="INTERNAL", reason="", message="", details=())
    for _ in range(100):
        tally.lost("single", error, asked_s=0.0)
        tally.refused("no id", error)
    assert tally.counts["lost"] == tally.counts["blamed on the server"] == 100
    assert len(tally.problems) == 20
    tally.refused("no id", AssessmentError(code="INVALID_ARGUMENT", reason="ID_REQUIRED", message="", details=()))
    assert tally.counts["bad questions refused"] == 1
