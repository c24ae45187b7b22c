import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.transport.deadlines import ENCOUNTERS_PER_BUDGET, LONGEST_WAIT_S, Allowance


def allowed_s(**changed: float | None) -> float:
    """Seconds from the start of a call of one encounter, half a second of budget, prepared in 0.1 s."""
    fields = {"caller_s": None, "budget_s": 0.5, "encounters": 1, "is_stream": False} | changed
    return Allowance(**fields).answer_by_s(begun_s=100.0, now_s=100.1) - 100.0  # type: ignore[arg-type]


def test_without_a_deadline_the_budget_counts_from_when_the_chain_is_asked() -> None:
    assert allowed_s() == pytest.approx(0.6)


def test_a_callers_deadline_counts_from_when_the_call_began() -> None:
    assert allowed_s(caller_s=2.0) == pytest.approx(2.0)
    assert allowed_s(caller_s=0.002) == pytest.approx(0.002)


def test_no_deadline_is_waited_for_without_end() -> None:
    assert allowed_s(caller_s=86_400.0) == LONGEST_WAIT_S
    assert allowed_s(budget_s=86_400.0) == pytest.approx(LONGEST_WAIT_S + 0.1)


def test_a_batch_has_a_budget_for_each_64_that_it_begins() -> None:
    assert allowed_s(encounters=ENCOUNTERS_PER_BUDGET) == pytest.approx(0.6)
    assert allowed_s(encounters=ENCOUNTERS_PER_BUDGET + 1) == pytest.approx(1.1)


def test_a_batch_keeps_time_back_for_writing_its_answers() -> None:
    assert 0.1 < 2.0 - allowed_s(caller_s=2.0, encounters=1024) < 1.0


def test_an_encounter_of_a_stream_has_the_budget_even_within_a_long_deadline() -> None:
    assert allowed_s(caller_s=20.0, is_stream=True) == pytest.approx(0.5)
    assert allowed_s(caller_s=0.2, is_stream=True) == pytest.approx(0.2)


@given(st.none() | st.floats(0, 1e9), st.floats(0.001, 1e6), st.integers(1, 1024), st.booleans())
def test_whatever_is_asked_the_wait_is_bounded_and_never_longer_than_the_callers(
    caller_s: float | None, budget_s: float, encounters: int, is_stream: bool
) -> None:
    allowed = allowed_s(caller_s=caller_s, budget_s=budget_s, encounters=encounters, is_stream=is_stream)
    assert allowed <= LONGEST_WAIT_S + 0.1 + 1e-9
    assert caller_s is None or allowed <= caller_s + 1e-9
