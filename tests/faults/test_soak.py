"""The short form of `make soak`: everything at once for a while, on a real server."""

import pytest

from tests.soak.soak import SoakPlan, soak, unmet
from tests.soak.verdict import Allowance

# In so short a time caches still fill and threads are still made; what leaks with every fault shows all the same.
WHILE_CACHES_FILL = Allowance(
    server_rss_bytes=96 << 20, server_pss_bytes=96 << 20, server_threads=40, server_descriptors=20, workers=1.5
)


@pytest.mark.timeout(300)
def test_half_a_minute_of_everything_at_once_loses_nothing_and_leaves_nothing() -> None:
    report = soak(SoakPlan(duration_s=22.0, seed=7, warm_up_s=4.0, act_pause_s=1.0, allowance=WHILE_CACHES_FILL))
    assert (unmet(report.findings), report.problems) == ([], ())
    assert sum(times for what, times in report.counts.items() if what.startswith("answered by")) > 200
    assert sum(report.acts.values()) >= 5
    assert report.counts["bad questions refused"] > 10
