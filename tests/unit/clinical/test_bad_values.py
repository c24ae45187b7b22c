"""Hostile and bad observations, by the rows of the product's table of them: values, status and sensors, 12-32.

`test_bad_units_and_times.py` lists where the other rows are.
"""

import pytest

from stepdown.domain.observations import Comparator, Indication, ObservationStatus
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import (
    AS_OF_S,
    column,
    dropped,
    flagged,
    known_cells,
    parameter,
    seen,
    taken,
)

SOME = seen("Resp", 16.0)


@pytest.mark.parametrize(("channel", "value"), [("O2Sat", 104.0), ("HR", -5.0), ("pH", 9.0), ("SBP", 0.0)])
def test_row_12_an_impossible_value_is_dropped(channel: str, value: float) -> None:
    intake = taken(SOME, seen("MAP", 80.0), seen(channel, value))
    assert dropped(intake) == [(channel, InputIssue.OUT_OF_RANGE)]
    assert known_cells(intake, channel) == {}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"SBP": 80.0, "DBP": 80.0}, set()),
        ({"SBP": 80.0, "DBP": 120.0, "MAP": 100.0}, set()),
        ({"SBP": 120.0, "DBP": 70.0, "MAP": 60.0}, {"SBP"}),
        ({"SBP": 120.0, "DBP": 70.0, "MAP": 130.0}, {"DBP"}),
        ({"Bilirubin_direct": 2.21, "Bilirubin_total": 2.0}, set()),
        ({"GCS": 15.0, "GCSEye": 4.0, "GCSVerbal": 4.0, "GCSMotor": 6.0}, set()),
    ],
)
def test_row_13_every_member_of_a_contradiction_is_dropped_and_the_breach_flagged(
    values: dict[str, float], kept: set[str]
) -> None:
    intake = taken(SOME, *(seen(name, value) for name, value in values.items()))
    assert {used.channel for used in intake.used} == {"Resp"} | kept
    assert set(dropped(intake)) == {(name, InputIssue.INCONSISTENT) for name in values if name not in kept}
    assert {flag.issue for flag in intake.flags} == {InputIssue.INCONSISTENT}


@pytest.mark.parametrize(
    "values",
    [
        {"SBP": 120.0, "DBP": 70.0, "MAP": 70.0},
        {"SBP": 120.0, "DBP": 70.0, "MAP": 120.0},
        {"Bilirubin_direct": 2.2, "Bilirubin_total": 2.0},
        {"GCS": 14.0, "GCSEye": 4.0, "GCSVerbal": 4.0, "GCSMotor": 6.0},
    ],
)
def test_row_13_what_can_be_true_together_is_kept(values: dict[str, float]) -> None:
    intake = taken(*(seen(name, value) for name, value in values.items()))
    assert (intake.dropped, intake.flags) == ((), ())


def test_row_13_pressures_of_different_times_do_not_contradict_one_another() -> None:
    intake = taken(seen("SBP", 80.0, ago_s=300.0), seen("DBP", 90.0, ago_s=900.0))
    assert (intake.dropped, intake.flags) == ((), ())


@pytest.mark.parametrize("evidence", [seen("FiO2", 50.0), seen("OxygenFlow", 2.0)])
def test_row_18_air_by_the_flag_and_oxygen_by_the_measurement_is_on_oxygen_with_a_conflict(
    evidence: object,
) -> None:
    intake = taken(column("SupplementalOxygen", 0.0), evidence)  # type: ignore[arg-type]
    assert parameter(intake, "SupplementalOxygen").value == 1.0
    assert flagged(intake) == [("SupplementalOxygen", InputIssue.CONFLICT)]


@pytest.mark.parametrize(
    ("value", "unit", "fraction"),
    [
        (40.0, "%", 0.4),
        (21.0, "%", 0.21),
        (0.4, "1", 0.4),
        (1.0, "1", 1.0),
        (100.0, "%", 1.0),
        (1.0, "", None),
        (0.4, "", None),
        (1.0, "%", None),
        (40.0, "1", None),
        (4000.0, "%", None),
        (4000.0, "1", None),
        (-50.0, "%", None),
    ],
)
def test_row_19_the_unit_decides_what_an_oxygen_fraction_means(value: float, unit: str, fraction: float | None) -> None:
    intake = taken(SOME, seen("FiO2", value, unit=unit))
    expected = {} if fraction is None else {0: pytest.approx(fraction)}
    assert known_cells(intake, "FiO2") == expected
    assert len(intake.dropped) == (fraction is None)


@pytest.mark.parametrize(("value", "kept"), [(0.4, True), (1.0, True), (40.0, False), (4000.0, False), (-50.0, False)])
def test_row_19_under_the_column_name_an_oxygen_fraction_is_a_fraction(value: float, *, kept: bool) -> None:
    intake = taken(SOME, column("FiO2", value))
    assert (len(known_cells(intake, "FiO2")) == 1) is kept


def test_row_20_a_censored_result_is_used_at_its_limit_and_flagged() -> None:
    intake = taken(seen("TroponinI", 0.01, comparator=Comparator.LESS))
    assert flagged(intake) == [("TroponinI", InputIssue.CENSORED)]
    assert known_cells(intake, "TroponinI") == {0: pytest.approx(0.01)}


def test_row_20_an_age_above_90_counts_as_90() -> None:
    age = column("Age", 90.0, comparator=Comparator.GREATER)
    intake = taken(SOME, age, indication=Indication())
    assert known_cells(intake, "Age") == {0: 90.0}
    assert ("Age", InputIssue.CENSORED) in flagged(intake)


@pytest.mark.parametrize(
    "status", [ObservationStatus.ENTERED_IN_ERROR, ObservationStatus.CANCELLED, ObservationStatus.UNKNOWN]
)
def test_row_21_what_its_status_excludes_is_dropped(status: ObservationStatus) -> None:
    intake = taken(SOME, seen("HR", 80.0, status=status))
    assert dropped(intake) == [("HR", InputIssue.STATUS_EXCLUDED)]
    assert not intake.wrong_patient_retraction


def test_row_21_a_wrong_patient_result_is_dropped_and_announced() -> None:
    intake = taken(SOME, seen("HR", 80.0, status=ObservationStatus.WRONG_PATIENT))
    assert dropped(intake) == [("HR", InputIssue.WRONG_PATIENT_RETRACTION)]
    assert intake.wrong_patient_retraction


def test_row_21_it_takes_the_earlier_result_of_the_same_time_with_it() -> None:
    wrong = seen("HR", 80.0, status=ObservationStatus.WRONG_PATIENT)
    intake = taken(SOME, seen("HR", 80.0), wrong, seen("HR", 95.0, ago_s=900.0))
    assert dropped(intake) == [("HR", InputIssue.WRONG_PATIENT_RETRACTION)] * 2
    assert parameter(intake, "HR").value == 95.0


def test_row_21_a_value_entered_in_error_does_not_take_its_replacement_with_it() -> None:
    mistake = seen("HR", 800.0, status=ObservationStatus.ENTERED_IN_ERROR)
    assert parameter(taken(seen("HR", 80.0, status=ObservationStatus.CORRECTED), mistake), "HR").value == 80.0
    retraction = seen("HR", 180.0, status=ObservationStatus.ENTERED_IN_ERROR, issued_time_s=AS_OF_S - 200)
    entered_again = seen("HR", 180.0, issued_time_s=AS_OF_S - 100)
    assert parameter(taken(retraction, entered_again), "HR").value == 180.0


@pytest.mark.parametrize("status", [ObservationStatus.PRELIMINARY, ObservationStatus.REGISTERED])
def test_row_21_a_result_that_is_not_final_is_used_and_flagged(status: ObservationStatus) -> None:
    intake = taken(seen("HR", 80.0, status=status))
    assert flagged(intake) == [("HR", InputIssue.PRELIMINARY)]
    assert parameter(intake, "HR").value == 80.0


@pytest.mark.parametrize("code", ["3150-6", "8867", "heart rate", "", "88674", "8867-4 ", "\uff18867-4"])
def test_row_24_a_malformed_code_is_dropped_as_invalid(code: str) -> None:
    intake = taken(SOME, seen("HR", 80.0, code=code))
    assert [entry.issue for entry in intake.dropped] == [InputIssue.CODE_INVALID]


def test_row_24_well_formed_codes_that_nothing_reads_share_one_entry() -> None:
    first, second = seen("HR", 80.0, code="2947-0"), column("SepsisLabel", 1.0)
    (entry,) = taken(SOME, first, second).dropped
    assert (entry.issue, entry.count, entry.field) == (InputIssue.CODE_UNSUPPORTED, 2, first.field)


def test_row_24_ionised_calcium_is_refused_by_name() -> None:
    (entry,) = taken(SOME, seen("HR", 1.1, code="1995-0", unit="mmol/L")).dropped
    assert entry.issue is InputIssue.CODE_UNSUPPORTED
    assert "ionised" in entry.hint


def test_row_31_a_heart_rate_unchanged_for_six_hours_is_flagged() -> None:
    flat = [seen("HR", 80.0, ago_s=3600.0 * hour + 60) for hour in range(6)]
    assert flagged(taken(*flat)) == [("HR", InputIssue.SENSOR_SUSPECT)]
    assert flagged(taken(*flat[:5])) == []
    assert flagged(taken(*(seen("HR", 80.0, 60.0 * minute) for minute in range(12)))) == []
    assert flagged(taken(*flat[:4], seen("HR", 81.0, 15_000.0), flat[5])) == []
    assert flagged(taken(*flat[:5], seen("HR", 81.0, ago_s=20_000.0))) == []
    assert flagged(taken(*flat[1:], seen("HR", 81.0, ago_s=60.0))) == []


def test_row_31_a_heart_rate_of_zero_beside_a_saturation_is_an_artefact() -> None:
    intake = taken(seen("HR", 0.0), seen("O2Sat", 97.0))
    assert dropped(intake) == [("HR", InputIssue.ARTEFACT)]
    assert ("HR", InputIssue.SENSOR_SUSPECT) in flagged(intake)
    assert "possible arrest or lead-off: check patient" in intake.flags[-1].detail
    assert "check patient" in intake.dropped[0].hint


def test_row_31_a_heart_rate_of_zero_with_no_other_sign_of_life_counts() -> None:
    intake = taken(seen("HR", 0.0), seen("Resp", 0.0), seen("O2Sat", 97.0, ago_s=7200.0))
    assert dropped(intake) == []
    assert parameter(intake, "HR").value == 0.0
    assert "check patient" in next(f.detail for f in intake.flags if f.issue is InputIssue.SENSOR_SUSPECT)


def test_row_32_a_time_that_was_ambiguous_is_used_and_flagged() -> None:
    intake = taken(seen("HR", 80.0, time_ambiguous=True))
    assert flagged(intake) == [("HR", InputIssue.TIME_AMBIGUOUS)]
    assert parameter(intake, "HR").value == 80.0
