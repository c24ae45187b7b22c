import pytest

from stepdown.domain.tiers import Urgency
from stepdown.resilience.load_shedding import LoadShedding

SHEDDING = LoadShedding(maximum_wait_s=1.0, deadline_share=0.8)


@pytest.mark.parametrize(
    ("urgency", "limit_s"), [(Urgency.ROUTINE, 0.5), (Urgency.URGENT, 0.8), (Urgency.EMERGENCY, 1.0)]
)
def test_without_a_deadline_routine_calls_wait_least_and_emergencies_longest(urgency: Urgency, limit_s: float) -> None:
    assert SHEDDING.limit_s(urgency, None) == limit_s


@pytest.mark.parametrize(
    ("urgency", "limit_s"), [(Urgency.ROUTINE, 0.8), (Urgency.URGENT, 1.28), (Urgency.EMERGENCY, 1.6)]
)
def test_with_one_they_wait_for_a_share_of_it(urgency: Urgency, limit_s: float) -> None:
    assert SHEDDING.limit_s(urgency, 2.0) == pytest.approx(limit_s)


def test_who_allows_an_hour_waits_no_longer_than_who_allows_half_a_minute() -> None:
    assert SHEDDING.limit_s(Urgency.EMERGENCY, 3600.0) == SHEDDING.limit_s(Urgency.EMERGENCY, 30.0)


@pytest.mark.parametrize(("waited_s", "remaining_s"), [(1.0, None), (1.6, 0.4)])
def test_what_has_too_little_time_left_is_not_begun(waited_s: float, remaining_s: float | None) -> None:
    assert SHEDDING.refuses(waited_s, remaining_s)
    earlier_s = None if remaining_s is None else remaining_s + 1e-6
    assert not SHEDDING.refuses(waited_s - 1e-6, earlier_s)


@pytest.mark.parametrize(("urgency", "limit_s"), [(Urgency.ROUTINE, 0.125), (Urgency.URGENT, 0.2)])
def test_the_models_are_spared_long_before_anybody_is_turned_away(urgency: Urgency, limit_s: float) -> None:
    assert not SHEDDING.spares_models(urgency, limit_s - 1e-6)
    assert SHEDDING.spares_models(urgency, limit_s)


def test_the_models_are_spared_sooner_for_who_has_less_time() -> None:
    assert SHEDDING.spares_models(Urgency.ROUTINE, 0.06, 0.44)
    assert not SHEDDING.spares_models(Urgency.ROUTINE, 0.06, 5.0)


def test_an_emergency_keeps_its_model_however_long_it_waited() -> None:
    assert not SHEDDING.spares_models(Urgency.EMERGENCY, 10.0)


def test_a_deadline_that_an_idle_server_may_miss_is_no_overload() -> None:
    assert not LoadShedding().refuses(0.0019, 0.0001)
    assert LoadShedding().refuses(0.005, 0.0)
