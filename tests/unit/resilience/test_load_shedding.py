import pytest

from stepdown.domain.tiers import Urgency
from stepdown.resilience.load_shedding import LoadShedding

SHEDDING = LoadShedding(maximum_wait_s=1.0)


@pytest.mark.parametrize(
    ("urgency", "limit_s"), [(Urgency.ROUTINE, 0.5), (Urgency.URGENT, 0.8), (Urgency.EMERGENCY, 1.0)]
)
def test_routine_calls_are_turned_away_first_and_emergencies_last(urgency: Urgency, limit_s: float) -> None:
    assert not SHEDDING.refuses(urgency, limit_s - 1e-6)
    assert SHEDDING.refuses(urgency, limit_s)


@pytest.mark.parametrize(("urgency", "limit_s"), [(Urgency.ROUTINE, 0.125), (Urgency.URGENT, 0.2)])
def test_the_models_are_spared_long_before_anybody_is_turned_away(urgency: Urgency, limit_s: float) -> None:
    assert not SHEDDING.spares_models(urgency, limit_s - 1e-6)
    assert SHEDDING.spares_models(urgency, limit_s)


def test_an_emergency_keeps_its_model_however_long_it_waited() -> None:
    assert not SHEDDING.spares_models(Urgency.EMERGENCY, 10.0)
