"""The grid: which hour, which column, what is padding, and which bytes."""

import struct
from array import array
from math import isnan

import pytest

from stepdown.clinical.grid import little_endian
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS
from stepdown.domain.observations import IcuUnit, Indication, Sex
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import AS_OF_S, cells, column, flagged, known_cells, packed, seen, taken

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("ago_s", "hour"), [(0.0, 0), (3599.999, 0), (3600.0, 1), (7199.0, 1), (47 * HOUR_S, 47), (48 * HOUR_S - 1, 47)]
)
def test_an_hour_begins_on_the_hour_before_the_assessed_instant(ago_s: float, hour: int) -> None:
    assert known_cells(taken(seen("HR", 80.0, ago_s)), "HR") == {hour: 80.0}


def test_the_last_row_is_now_and_rows_are_hours_oldest_first() -> None:
    intake = taken(seen("HR", 80.0, 60.0), seen("Resp", 16.0, 47.5 * HOUR_S))
    assert len(intake.grid.cells) == GRID_HOURS * GRID_COLUMNS * 4
    cell = struct.unpack("<1920f", intake.grid.cells)
    assert cell[47 * 40 + 0] == 80.0
    assert cell[0 * 40 + 6] == 16.0


def test_the_bytes_are_little_endian_on_any_machine() -> None:
    one = array("f", [1.0])
    assert little_endian(one, "little") == b"\x00\x00\x80\x3f"
    assert little_endian(one, "big") == b"\x3f\x80\x00\x00"
    assert one[0] == 1.0


def test_values_are_neither_rounded_nor_clipped_nor_filled_in() -> None:
    intake = taken(seen("Temp", 36.849, 60.0), seen("Lactate", 19.97, 3 * HOUR_S))
    assert known_cells(intake, "Temp") == {0: pytest.approx(36.849)}
    assert known_cells(intake, "Lactate") == {3: pytest.approx(19.97)}


def test_before_the_first_observation_everything_is_missing_age_included() -> None:
    intake = taken(seen("HR", 80.0, 2 * HOUR_S), indication=Indication(age_years=62.0, sex=Sex.MALE))
    assert known_cells(intake, "Age") == {0: 62.0, 1: 62.0, 2: 62.0}
    assert known_cells(intake, "Gender") == {0: 1.0, 1: 1.0, 2: 1.0}
    assert known_cells(intake, "ICULOS") == {}
    assert all(isnan(cell) for cell in cells(intake, "HospAdmTime"))


def test_the_stay_begins_at_admission_and_the_hours_are_counted_from_one() -> None:
    indication = Indication(
        age_years=62.0,
        sex=Sex.FEMALE,
        icu_unit=IcuUnit.SURGICAL,
        icu_admission_time_s=AS_OF_S - 2.5 * HOUR_S,
        hospital_admission_time_s=AS_OF_S - 26.5 * HOUR_S,
    )
    intake = taken(seen("HR", 80.0, 60.0), seen("HR", 82.0, 5 * HOUR_S), indication=indication)
    assert known_cells(intake, "ICULOS") == {0: 3.0, 1: 2.0, 2: 1.0}
    assert known_cells(intake, "HospAdmTime") == dict.fromkeys(range(6), -24.0)
    assert known_cells(intake, "Unit1") == dict.fromkeys(range(6), 0.0)
    assert known_cells(intake, "Unit2") == dict.fromkeys(range(6), 1.0)
    assert known_cells(intake, "Gender") == dict.fromkeys(range(6), 0.0)


def test_a_long_stay_fills_the_window() -> None:
    indication = Indication(age_years=62.0, icu_unit=IcuUnit.MEDICAL, icu_admission_time_s=AS_OF_S - 99.5 * HOUR_S)
    intake = taken(seen("HR", 80.0, 60.0), indication=indication)
    assert known_cells(intake, "ICULOS") == {hour: 100.0 - hour for hour in range(48)}
    assert known_cells(intake, "Unit1") == dict.fromkeys(range(48), 1.0)


@pytest.mark.parametrize(
    ("elapsed_s", "hour"), [(0.0, 1), (60.0, 1), (HOUR_S, 1), (HOUR_S + 1, 2), (3 * HOUR_S, 3), (3 * HOUR_S + 1e-6, 3)]
)
def test_the_hour_of_the_stay_is_the_one_that_has_begun(elapsed_s: float, hour: int) -> None:
    indication = Indication(age_years=62.0, icu_admission_time_s=AS_OF_S - elapsed_s)
    assert known_cells(taken(seen("HR", 80.0, 60.0), indication=indication), "ICULOS")[0] == hour


@pytest.mark.parametrize(
    "indication",
    [
        Indication(age_years=62.0, icu_admission_time_s=AS_OF_S + 1, hospital_admission_time_s=AS_OF_S - HOUR_S),
        Indication(age_years=62.0, hospital_admission_time_s=AS_OF_S - HOUR_S),
        Indication(age_years=62.0, icu_admission_time_s=-62_135_596_800.0, hospital_admission_time_s=AS_OF_S - HOUR_S),
        Indication(age_years=62.0, icu_admission_time_s=-1e300),
    ],
)
def test_what_is_not_known_of_the_stay_is_missing(indication: Indication) -> None:
    intake = taken(seen("HR", 80.0), indication=indication)
    for name in ("ICULOS", "HospAdmTime", "Unit1", "Unit2", "Gender"):
        assert known_cells(intake, name) == {}


def test_a_record_may_carry_the_stay_in_its_own_columns() -> None:
    record = [
        column("Age", 62.0, 60.0),
        column("Gender", 1.0, 60.0),
        column("Unit1", 0.0, 60.0),
        column("Unit2", 1.0, 60.0),
        column("HospAdmTime", -12.5, 60.0),
        column("ICULOS", 2.0, HOUR_S + 60.0),
    ]
    intake = taken(*record, column("HR", 80.0, 3 * HOUR_S), indication=Indication())
    assert known_cells(intake, "ICULOS") == {0: 3.0, 1: 2.0, 2: 1.0}
    assert known_cells(intake, "HospAdmTime") == dict.fromkeys(range(4), -12.5)
    assert known_cells(intake, "Age") == dict.fromkeys(range(4), 62.0)
    assert known_cells(intake, "Gender") == dict.fromkeys(range(4), 1.0)
    assert {used.channel for used in intake.used} >= {"Age", "ICULOS"}


def test_the_indication_counts_and_a_column_that_differs_is_flagged() -> None:
    indication = Indication(age_years=62.0, sex=Sex.FEMALE)
    intake = taken(seen("HR", 80.0), column("Age", 64.0), column("Gender", 0.0), indication=indication)
    assert set(known_cells(intake, "Age").values()) == {62.0}
    assert flagged(intake) == [("Age", InputIssue.CONFLICT)]


def test_a_static_column_needs_no_time_and_does_not_age() -> None:
    without_time = column("Unit1", 1.0, effective_time_s=None)
    intake = taken(seen("HR", 80.0), without_time, column("Gender", 1.0, 500 * HOUR_S))
    assert intake.dropped == ()
    assert known_cells(intake, "Unit1") == {0: 1.0}
    assert known_cells(intake, "Gender") == {0: 1.0}


@pytest.mark.parametrize(("answer", "cell"), [("male", 1.0), ("female", 0.0), ("LA2-8", 1.0), ("LA3-6", 0.0)])
def test_administrative_sex_may_be_a_coded_observation(answer: str, cell: float) -> None:
    sex = seen("HR", None, code="46098-0", coded_value=answer)
    assert known_cells(taken(seen("HR", 80.0), sex), "Gender") == {0: cell}


def test_every_column_can_be_filled_by_its_name() -> None:
    hours = tuple((hour * HOUR_S, 80.0 + hour) for hour in range(48))
    intake = taken(series=(packed("HR", *hours),))
    assert known_cells(intake, "HR") == {hour: 80.0 + hour for hour in range(48)}
