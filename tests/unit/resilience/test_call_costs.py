import pytest

from stepdown.resilience.call_costs import CallCosts


def test_a_kind_that_nobody_measured_is_taken_to_cost_a_millisecond() -> None:
    costs = CallCosts()
    assert costs.expected_s("a", None) == costs.expected_s("a", 10_000) == 0.001


def test_cost_follows_size_and_every_kind_has_its_own() -> None:
    costs = CallCosts()
    for _ in range(300):
        costs.cost("a", 1000, 0.002)
        costs.cost("b", 1000, 0.020)
    assert costs.expected_s("a", None) == pytest.approx(0.002, rel=0.05)
    assert costs.expected_s("a", 8000) == pytest.approx(0.016, rel=0.05)
    assert costs.expected_s("b", 1000) == pytest.approx(0.020, rel=0.05)


def test_an_empty_message_costs_something_too() -> None:
    costs = CallCosts()
    for _ in range(300):
        costs.cost("a", 64, 0.001)
    assert costs.expected_s("a", 0) == pytest.approx(0.001, rel=0.05)


def test_what_was_measured_long_ago_fades() -> None:
    costs = CallCosts()
    for seconds in (0.050, 0.001):
        for _ in range(300):
            costs.cost("a", 1000, seconds)
    assert costs.expected_s("a", None) == pytest.approx(0.001, rel=0.2)


def test_work_is_stretched_by_what_goes_to_other_steps() -> None:
    costs = CallCosts()
    assert costs.stretch == 1.0
    for _ in range(300):
        costs.worked(elapsed_s=0.010, begun_s=0.004)
    assert costs.stretch == pytest.approx(2.5, rel=0.05)


@pytest.mark.parametrize(("begun_s", "stretch"), [(0.0, 50.0), (1.0, 1.0)])
def test_the_stretch_is_bounded_whatever_was_measured(begun_s: float, stretch: float) -> None:
    costs = CallCosts()
    for _ in range(1000):
        costs.worked(elapsed_s=0.010, begun_s=begun_s)
    assert costs.stretch == stretch
