"""What a row says of itself in the trace when its readings are missing, old, unusable or in competition."""

import math

import pytest

from stepdown.domain.intake import InputStatus, RuleInput, RuleInputs
from stepdown.domain.scores import ParameterScore, ScoreResult
from tests.unit.rules.rule_bundles import STALE, Reading, given, rule_set

NORMAL: dict[str, Reading] = {
    "Resp": 16.0,
    "O2Sat": 98.0,
    "SupplementalOxygen": 0.0,
    "SBP": 120.0,
    "HR": 75.0,
    "Consciousness": "A",
    "Temp": 37.0,
}


def score(scale: int = 1, **readings: Reading) -> ScoreResult:
    return rule_set("news2").score(given(scale, **{**NORMAL, **readings}))


def row(result: ScoreResult, parameter: str) -> ParameterScore:
    (found,) = (one for one in result.parameters if one.parameter == parameter)
    return found


def test_a_present_reading_is_traced_with_value_unit_points_and_time() -> None:
    result = score(HR=RuleInput(value=91.0, observed_time_s=1_700_000_000.0))
    assert row(result, "HR") == ParameterScore(
        parameter="HR",
        value=91.0,
        unit="/min",
        status=InputStatus.PRESENT,
        points=1,
        minimum_points=1,
        maximum_points=1,
        observed_time_s=1_700_000_000.0,
    )


def test_the_trace_follows_the_order_of_the_published_chart() -> None:
    assert [one.parameter for one in score().parameters] == list(NORMAL)


def test_a_channel_that_is_not_named_at_all_is_missing() -> None:
    result = rule_set("news2").score(RuleInputs(parameters={}))
    assert result.missing == tuple(NORMAL)
    assert (result.minimum_total, result.maximum_total) == (0, 20)


def test_an_old_reading_keeps_its_time_and_earns_nothing() -> None:
    result = score(HR=STALE)
    found = row(result, "HR")
    assert (found.status, found.value, found.points, found.observed_time_s) == (InputStatus.STALE, None, None, 0.0)
    assert (found.minimum_points, found.maximum_points) == (0, 3)
    assert result.missing == ("HR",)


def test_a_stale_reading_is_never_read_even_if_it_carries_a_value() -> None:
    result = score(HR=RuleInput(value=75.0, status=InputStatus.STALE))
    assert row(result, "HR").points is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, False, "75"], ids=repr)
def test_a_value_that_is_no_number_counts_as_missing(value: float | str) -> None:
    result = score(HR=RuleInput(value=value))
    found = row(result, "HR")
    assert (found.status, found.value, found.points) == (InputStatus.MISSING, None, None)
    assert (result.minimum_total, result.maximum_total, result.total) == (0, 3, None)


@pytest.mark.parametrize("value", ["X", "a", "", 0.0, math.nan], ids=repr)
def test_a_code_that_nobody_knows_counts_as_missing(value: float | str) -> None:
    result = score(Consciousness=RuleInput(value=value))
    assert (row(result, "Consciousness").value, result.missing) == (None, ("Consciousness",))


def test_the_second_reading_answers_where_the_first_is_old() -> None:
    result = score(Consciousness=STALE, GCS=15.0)
    assert (result.total, result.complete) == (0, True)


def test_a_row_is_stale_where_any_of_its_readings_is() -> None:
    result = score(Consciousness=None, GCS=STALE)
    assert row(result, "Consciousness").status is InputStatus.STALE


def test_saturation_on_scale_2_is_open_where_oxygen_decides_and_is_not_missing() -> None:
    result = score(2, SupplementalOxygen=None, O2Sat=95.0)
    found = row(result, "O2Sat")
    assert (found.value, found.status, found.points) == (95.0, InputStatus.PRESENT, None)
    assert (found.minimum_points, found.maximum_points) == (0, 2)
    assert result.missing == ("SupplementalOxygen",)
    assert (result.minimum_total, result.maximum_total) == (0, 4)


def test_saturation_on_scale_2_is_known_where_both_states_of_oxygen_agree() -> None:
    result = score(2, SupplementalOxygen=None, O2Sat=86.0)
    assert row(result, "O2Sat").points == 1
    assert (result.minimum_total, result.maximum_total) == (1, 3)


def test_a_stale_saturation_is_not_read_in_either_state_of_oxygen() -> None:
    stale = RuleInput(value=90.0, status=InputStatus.STALE, observed_time_s=0.0)
    result = score(2, SupplementalOxygen=None, O2Sat=stale)
    assert (result.minimum_total, result.maximum_total) == (0, 5)
    assert result.missing == ("O2Sat", "SupplementalOxygen")


def test_saturation_on_scale_1_does_not_wait_for_oxygen() -> None:
    result = score(1, SupplementalOxygen=None, O2Sat=95.0)
    assert row(result, "O2Sat").points == 1


@pytest.mark.parametrize(
    ("saturation", "bounds"), [(98.0, (2, 7)), (95.0, (2, 6)), (93.0, (2, 5)), (92.0, (2, 4)), (None, (2, 7))]
)
def test_saturation_and_oxygen_are_bounded_together(saturation: Reading, bounds: tuple[int, int]) -> None:
    """2 points from elsewhere; then what saturation and oxygen earn on air at least, and on oxygen at most."""
    result = score(2, SupplementalOxygen=None, O2Sat=saturation, Resp=21.0)
    assert (result.minimum_total, result.maximum_total) == bounds


@pytest.mark.parametrize(("value", "points"), [(0.0, 0), (1.0, 2), (0.4, 0), (0.5, 2)])
def test_oxygen_is_zero_or_one(value: float, points: int) -> None:
    assert row(score(SupplementalOxygen=value), "SupplementalOxygen").points == points


def test_of_two_readings_the_one_with_more_points_is_traced() -> None:
    result = rule_set("sirs").score(given(Temp=37.0, HR=80.0, Resp=16.0, PaCO2=31.0, WBC=8.0))
    assert [(one.parameter, one.points) for one in result.parameters] == [
        ("Temp", 0),
        ("HR", 0),
        ("PaCO2", 1),
        ("WBC", 0),
    ]
