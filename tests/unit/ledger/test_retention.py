import pytest

from stepdown.ledger.retention import FLOOR_DAYS, Retention


def test_nothing_is_let_go_unless_a_site_says_when() -> None:
    assert Retention().before_s(1e9) is None


def test_bodies_from_before_the_period_may_go() -> None:
    assert Retention(days=200).before_s(200 * 86_400.0 + 5) == 5.0


@pytest.mark.parametrize("days", [-1, 1, FLOOR_DAYS - 1])
def test_less_than_the_floor_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="183 days at least"):
        Retention(days=days)
