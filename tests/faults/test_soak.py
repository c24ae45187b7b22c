"""The short form of `make soak`: everything at once for a while, on a real server."""

import pytest

from tests.soak.soak import SoakPlan, soak, unmet
from tests.soak.verdict import Allowance

# In so short a time caches still fill, threads are still made, and a worker that starts stands for half of the samples:
# its memory and its mailbox are no growth. What is held at rest, before and after, is compared exactly.
WHILE_CACHES_FILL = Allowance(
    server_rss_bytes=96 << 20,
    server_pss_bytes=96 << 20,
    server_threads=40,
    server_descriptors=20,
    server_memory_files=4,
    workers=1.5,
    largest_worker_rss_bytes=192 << 20,
)


@pytest.mark.timeout(300)
def test_half_a_minute_of_everything_at_once_loses_nothing_and_leaves_nothing() -> None:
    report = soak(SoakPlan(duration_s=22.0, seed=7, warm_up_s=4.0, act_pause_s=1.0, allowance=WHILE_CACHES_FILL))
    assert (unmet(report.findings), report.problems) == ([], ())
    assert sum(times for what, times in report.counts.items() if what.startswith("answered by")) > 200
    assert sum(report.acts.values()) >= 5
    assert report.counts["bad questions refused"] > 10
