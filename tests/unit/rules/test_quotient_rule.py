import math

import pytest

from stepdown.domain.intake import InputStatus, RuleInput
from stepdown.rules.quotient_rule import whole_number
from tests.unit.rules.rule_bundles import STALE, given, rule_set


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (70.0, 70),
        (69.5, 70),
        (math.nextafter(69.5, 0), 69),
        (math.nextafter(0.5, 0), 0),  # adding a half first would round this to 1
        (0.5, 1),
        (-0.5, 0),
        (-1e-20, 0),
        (2.0**53 + 2, 2**53 + 2),
        (7, 7),
    ],
)
def test_readings_are_rounded_half_up_without_binary_surprises(value: float, whole: int) -> None:
    assert whole_number(value) == whole


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, False, None, "70", 10**400, -(10**400)])
def test_what_is_not_a_finite_number_is_no_reading(value: object) -> None:
    assert whole_number(value) is None


def test_a_reading_that_is_no_number_is_reported_as_missing() -> None:
    result = rule_set("shock-index").score(given(HR=math.nan, SBP=100.0))
    assert result.classification == "not-assessed"
    assert result.missing == ("HR",)
    assert (result.parameters[0].value, result.parameters[0].status) == (None, InputStatus.MISSING)


def test_an_old_reading_is_reported_as_stale() -> None:
    result = rule_set("shock-index").score(given(HR=70.0, SBP=STALE))
    assert (result.missing, result.parameters[1].status) == (("SBP",), InputStatus.STALE)


def test_the_trace_keeps_what_was_read_although_there_is_no_index() -> None:
    result = rule_set("shock-index").score(
        given(HR=RuleInput(value=70.0, observed_time_s=0.0), SBP=RuleInput(value=100.0, observed_time_s=2000.0))
    )
    assert [(row.parameter, row.value, row.unit, row.points) for row in result.parameters] == [
        ("HR", 70.0, "/min", 0),
        ("SBP", 100.0, "mm[Hg]", 0),
    ]


@pytest.mark.parametrize("heart_rate", [1.7976931348623157e308, 5e-324, 1e15])
@pytest.mark.parametrize("pressure", [1.7976931348623157e308, 5e-324, 1.0])
def test_no_finite_pair_breaks_it(heart_rate: float, pressure: float) -> None:
    result = rule_set("shock-index").score(given(HR=heart_rate, SBP=pressure))
    assert result.ratio is None or math.isfinite(result.ratio)
