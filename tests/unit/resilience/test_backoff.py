import pytest

from stepdown.resilience.backoff import BackoffPolicy, FaultBudget


def test_waits_double_up_to_the_bound() -> None:
    policy = BackoffPolicy(initial_s=0.5, maximum_s=3.0, jitter_share=0.0)
    assert [policy.delay_s(attempt=attempt, jitter=0.7) for attempt in (0, 1, 2, 3, 4, 99)] == [
        0.5,
        0.5,
        1.0,
        2.0,
        3.0,
        3.0,
    ]


def test_jitter_only_ever_lengthens_the_wait() -> None:
    policy = BackoffPolicy(initial_s=1.0, maximum_s=8.0, jitter_share=0.2)
    assert policy.delay_s(attempt=1, jitter=0.0) == 1.0
    assert policy.delay_s(attempt=1, jitter=1.0) == pytest.approx(1.2)


def test_the_budget_is_spent_by_the_last_allowed_fault_within_the_window() -> None:
    budget = FaultBudget(limit=3, window_s=10.0)
    assert [budget.spend(now_s) for now_s in (0.0, 5.0, 10.0)] == [False, False, True]


def test_faults_outside_the_window_do_not_count() -> None:
    budget = FaultBudget(limit=3, window_s=10.0)
    assert [budget.spend(now_s) for now_s in (0.0, 5.0, 10.1)] == [False, False, False]
    assert budget.recent(10.1) == 2
    assert budget.recent(30.0) == 0


def test_an_operator_can_wipe_the_slate() -> None:
    budget = FaultBudget(limit=1, window_s=10.0)
    assert budget.spend(0.0)
    budget.reset()
    assert budget.recent(0.0) == 0
