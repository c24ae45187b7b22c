"""On oxygen or on air: what counts as a statement, and which one counts."""

import pytest

from stepdown.domain.intake import InputStatus
from stepdown.domain.observations import CareSetting, Indication, Observation
from tests.unit.clinical.building import AS_OF_S, column, flagged, parameter, seen, taken

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("statement", "on_oxygen"),
    [
        (seen("FiO2", 21.0), 0.0),
        (seen("FiO2", 20.9), 0.0),
        (seen("FiO2", 0.21, unit="1"), 0.0),
        (seen("FiO2", 21.1), 1.0),
        (seen("FiO2", 100.0), 1.0),
        (seen("OxygenFlow", 0.0), 0.0),
        (seen("OxygenFlow", 0.5), 1.0),
        (column("SupplementalOxygen", 1.0), 1.0),
        (column("SupplementalOxygen", 0.0), 0.0),
    ],
)
def test_each_kind_of_statement_counts_alone(statement: Observation, on_oxygen: float) -> None:
    read = parameter(taken(statement), "SupplementalOxygen")
    assert (read.value, read.status, read.observed_time_s) == (on_oxygen, InputStatus.PRESENT, AS_OF_S - 300.0)


def test_without_a_statement_it_is_missing_and_not_air() -> None:
    read = parameter(taken(seen("HR", 80.0)), "SupplementalOxygen")
    assert (read.value, read.status) == (None, InputStatus.MISSING)


def test_an_old_statement_is_stale() -> None:
    indication = Indication(age_years=62.0, care_setting=CareSetting.ICU)
    intake = taken(seen("FiO2", 40.0, HOUR_S + 1), seen("HR", 80.0), indication=indication)
    read = parameter(intake, "SupplementalOxygen")
    assert (read.value, read.status, read.observed_time_s) == (None, InputStatus.STALE, AS_OF_S - HOUR_S - 1)


def test_two_hours_after_the_mask_came_off_the_newest_statement_stands() -> None:
    intake = taken(seen("FiO2", 40.0, 3 * HOUR_S), column("SupplementalOxygen", 0.0, HOUR_S))
    assert parameter(intake, "SupplementalOxygen").value == 0.0
    assert flagged(intake) == []


def test_within_an_hour_oxygen_counts_and_the_time_is_that_of_the_oxygen() -> None:
    intake = taken(seen("FiO2", 40.0, HOUR_S), column("SupplementalOxygen", 0.0, 0.0))
    read = parameter(intake, "SupplementalOxygen")
    assert (read.value, read.observed_time_s) == (1.0, AS_OF_S - HOUR_S)
    assert len(intake.flags) == 1


def test_contradicting_fractions_of_one_time_count_as_oxygen() -> None:
    intake = taken(seen("FiO2", 21.0), seen("FiO2", 30.0))
    assert parameter(intake, "SupplementalOxygen").value == 1.0


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0])
def test_the_flag_is_yes_or_no(value: float) -> None:
    intake = taken(seen("HR", 80.0), column("SupplementalOxygen", value))
    assert parameter(intake, "SupplementalOxygen").status is InputStatus.MISSING
    assert len(intake.dropped) == 1
