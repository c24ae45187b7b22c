import pytest

from stepdown.domain.errors import IllegalMoveError
from stepdown.resilience.circuit_breaker import LEGAL_MOVES, BreakerPolicy, BreakerState, CircuitBreaker

POLICY = BreakerPolicy(
    window=10, minimum_results=4, failure_share=0.5, open_duration_s=1.0, maximum_open_duration_s=6.0
)


def test_opens_at_the_threshold_and_half_opens_when_the_period_ends() -> None:
    breaker = CircuitBreaker(POLICY)
    assert not breaker.count(good=2, bad=1, now_s=5.0)
    assert breaker.count(good=0, bad=1, now_s=6.0)
    assert str(breaker.state) == "OPEN"
    assert breaker.half_open_due_s() == 7.0
    breaker.half_open()
    assert str(breaker.state) == "HALF_OPEN"
    assert breaker.half_open_due_s() is None


def test_needs_enough_results_before_it_judges() -> None:
    breaker = CircuitBreaker(POLICY)
    assert not breaker.count(good=0, bad=3, now_s=0.0)
    assert breaker.state is BreakerState.CLOSED


def test_good_results_alone_never_open_it_even_while_old_failures_are_in_the_window() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=3, now_s=0.0)
    assert not breaker.count(good=1, bad=0, now_s=0.0)


def test_old_results_leave_the_window() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=3, now_s=0.0)
    breaker.count(good=10, bad=0, now_s=0.0)
    assert not breaker.count(good=0, bad=1, now_s=0.0)


def test_a_large_batch_counts_no_more_than_the_window() -> None:
    breaker = CircuitBreaker(POLICY)
    assert breaker.count(good=1000, bad=10, now_s=0.0)


def test_one_bad_result_during_the_trial_opens_it_again_for_twice_as_long() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=4, now_s=0.0)
    breaker.half_open()
    assert breaker.count(good=5, bad=1, now_s=10.0)
    assert breaker.half_open_due_s() == 12.0


def test_the_rest_grows_to_its_bound_and_is_short_again_after_forgiveness() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=4, now_s=0.0)
    for _ in range(5):
        breaker.half_open()
        breaker.count(good=0, bad=1, now_s=0.0)
    assert breaker.half_open_due_s() == 6.0
    breaker.half_open()
    breaker.close()
    breaker.forgive()
    breaker.count(good=0, bad=4, now_s=0.0)
    assert breaker.half_open_due_s() == 1.0


def test_nothing_is_counted_while_it_is_open_and_good_trial_results_change_nothing() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=4, now_s=0.0)
    assert not breaker.count(good=0, bad=4, now_s=0.0)
    breaker.half_open()
    assert not breaker.count(good=3, bad=0, now_s=0.0)
    assert breaker.state is BreakerState.HALF_OPEN


def test_a_new_worker_starts_closed_and_uncounted_but_trips_are_remembered() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.count(good=0, bad=4, now_s=0.0)
    breaker.renew()
    assert breaker.state is BreakerState.CLOSED
    assert not breaker.count(good=0, bad=3, now_s=0.0)
    assert breaker.count(good=0, bad=1, now_s=0.0)
    assert breaker.half_open_due_s() == 2.0


@pytest.mark.parametrize("state", list(BreakerState))
@pytest.mark.parametrize("act", ["half_open", "close"])
def test_only_the_moves_of_the_table_are_made(state: BreakerState, act: str) -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.state = state
    target = {"half_open": BreakerState.HALF_OPEN, "close": BreakerState.CLOSED}[act]
    if (state, target) in LEGAL_MOVES:
        getattr(breaker, act)()
        assert breaker.state is target
    else:
        with pytest.raises(IllegalMoveError):
            getattr(breaker, act)()
