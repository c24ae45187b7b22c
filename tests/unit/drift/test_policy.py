"""The threshold follows the budget."""

from math import log

import pytest

from stepdown.drift.policy import DriftPolicy


def test_more_tests_and_more_traffic_ask_for_more_evidence() -> None:
    policy = DriftPolicy(block_rows=100, assessments_per_30_days=10_000)
    assert policy.alarm_nats(200) == pytest.approx(log(200 * 100))
    assert DriftPolicy(block_rows=100, assessments_per_30_days=1).alarm_nats(0) == 0
