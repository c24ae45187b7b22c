import math
from types import MappingProxyType

import pytest

from stepdown.rules.points import Banding, Coding

BANDING = Banding(cuts=(8.5, 11.5), points=(3, 1, 0), attainable=(0, 1, 3))
CODING = Coding(codes=MappingProxyType({"A": 0, "V": 3}), attainable=(0, 3))


class Measured(float):
    """A float of another type, as a numeric library would hand over."""

    def __repr__(self) -> str:
        return f"Measured({float(self)})"


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (-1.7976931348623157e308, 3),
        (-1.0, 3),
        (-0.0, 3),
        (5e-324, 3),
        (8.0, 3),
        (math.nextafter(8.5, 0), 3),
        (8.5, 1),
        (11, 1),
        (11.5, 0),
        (1.7976931348623157e308, 0),
        (10**400, 0),
        (Measured(9), 1),
    ],
)
def test_every_finite_number_falls_in_exactly_one_band(value: float, points: int) -> None:
    assert BANDING.earned(value) == points


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, True, False, None, "9", b"bytes", Measured("nan"), [9]], ids=repr
)
def test_what_is_not_a_finite_number_earns_nothing(value: object) -> None:
    """Bisection would place NaN in the lowest band, which is three points here."""
    assert BANDING.earned(value) is None
    assert BANDING.segment(value) is None


def test_a_code_earns_its_points() -> None:
    assert (CODING.earned("A"), CODING.earned("V")) == (0, 3)


@pytest.mark.parametrize("value", ["a", "C", "", "AV", 0.0, 1, True, None, math.nan, ["A"]], ids=repr)
def test_what_is_not_a_known_code_earns_nothing(value: object) -> None:
    assert CODING.earned(value) is None
