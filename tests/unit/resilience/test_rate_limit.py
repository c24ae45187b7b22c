"""One encounter cannot be assessed without end; another is not made to wait for it."""

import pytest

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.resilience.rate_limit import EncounterRateLimit, RatePolicy

POLICY = RatePolicy(per_second=0.5, burst=3, maximum_encounters=2)


def refusal(limit: EncounterRateLimit, token: str, now_s: float) -> RequestRejectedError:
    with pytest.raises(RequestRejectedError) as caught:
        limit.admit(token, now_s=now_s)
    return caught.value


def test_row_34_a_slow_drip_is_limited_and_told_when_to_come_back() -> None:
    limit = EncounterRateLimit(POLICY)
    for _ in range(3):
        limit.admit("e-1", now_s=10.0)
    error = refusal(limit, "e-1", 10.5)
    assert error.reason is RejectReason.ENCOUNTER_RATE_LIMITED
    assert error.retry_after_s == 1.5
    assert error.limits == {"burst": 3}
    limit.admit("e-1", now_s=10.5 + 1.5)
    refusal(limit, "e-1", 12.1)


def test_row_34_one_value_a_second_ends_at_the_long_run_rate() -> None:
    limit = EncounterRateLimit(POLICY)
    admitted = 0
    for second in range(1_000):
        try:
            limit.admit("e-1", now_s=float(second))
            admitted += 1
        except RequestRejectedError:
            pass
    assert admitted == 1_000 * 0.5 + 2


def test_the_token_is_not_in_the_refusal() -> None:
    limit = EncounterRateLimit(RatePolicy(burst=1, per_second=0.001))
    limit.admit("e-51c0de77a2", now_s=0.0)
    error = refusal(limit, "e-51c0de77a2", 0.0)
    assert "e-51c0de77a2" not in f"{error}{error.violations}"


def test_encounters_do_not_share_a_bucket() -> None:
    limit = EncounterRateLimit(POLICY)
    for _ in range(3):
        limit.admit("e-1", now_s=0.0)
    limit.admit("e-2", now_s=0.0)


def test_a_pause_fills_the_bucket_and_no_more_than_fills_it() -> None:
    limit = EncounterRateLimit(POLICY)
    limit.admit("e-1", now_s=0.0)
    for _ in range(3):
        limit.admit("e-1", now_s=1_000.0)
    refusal(limit, "e-1", 1_000.0)


def test_a_clock_that_steps_back_neither_fills_nor_empties() -> None:
    limit = EncounterRateLimit(POLICY)
    for now_s in (100.0, 50.0, 0.0):
        limit.admit("e-1", now_s=now_s)
    assert refusal(limit, "e-1", 0.0).retry_after_s == 2.0


def test_memory_is_bounded_and_the_encounter_seen_last_is_kept() -> None:
    limit = EncounterRateLimit(POLICY)
    for token in ("e-1", "e-2", "e-1", "e-3"):
        limit.admit(token, now_s=0.0)
    assert len(limit) == 2
    limit.admit("e-1", now_s=0.0)
    refusal(limit, "e-1", 0.0)
