"""What the rules are given: every parameter always, charted, fresh or said not to be."""

import pytest

from stepdown.domain.intake import InputStatus
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import AS_OF_S, dropped, flagged, packed, parameter, seen, taken, vitals

PARAMETERS = (
    "SupplementalOxygen Resp O2Sat SBP HR Consciousness Temp Lactate GCS PaCO2 WBC Bands"  # the contract with the rules
)


def test_every_parameter_is_there_even_when_nothing_is_known() -> None:
    inputs = taken().rule_inputs
    assert set(inputs.parameters) == set(PARAMETERS.split())
    assert {each.status for each in inputs.parameters.values()} == {InputStatus.MISSING}


def test_values_are_charted_for_the_rules_and_kept_as_they_are_in_the_record() -> None:
    intake = taken(seen("Temp", 100.49, unit="[degF]"))
    read = parameter(intake, "Temp")
    assert (read.value, read.unit, read.observed_time_s) == (38.1, "Cel", AS_OF_S - 300.0)
    assert (intake.used[0].value, intake.used[0].unit) == (38.05, "Cel")


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("A", "A"),
        ("248234008", "A"),
        ("LA9340-6", "A"),
        ("C", "C"),
        ("130987000", "C"),
        ("300202002", "V"),
        ("450847001", "P"),
        ("422768004", "U"),
        ("U", "U"),
    ],
)
@pytest.mark.parametrize("code", ["67775-7", "11454-6"])
def test_consciousness_is_read_as_a_letter(answer: str, letter: str, code: str) -> None:
    intake = taken(seen("Consciousness", coded_value=answer, code=code))
    read = parameter(intake, "Consciousness")
    assert (read.value, read.unit) == (letter, "")
    assert intake.used[0].value == "ACVPU".index(letter)


@pytest.mark.parametrize("answer", ["a", "X", "alert", "999999"])
def test_an_unknown_answer_is_dropped(answer: str) -> None:
    intake = taken(*vitals(leave_out=("Consciousness",)), seen("Consciousness", coded_value=answer))
    assert dropped(intake) == [("Consciousness", InputIssue.VALUE_NOT_CODED)]
    assert "248234008" in intake.dropped[0].hint


def test_consciousness_as_a_number_is_dropped_single_or_packed() -> None:
    packed_numbers = packed("Consciousness", (60.0, 0.0), (30.0, 1.0))
    intake = taken(seen("HR", 80.0), seen("Consciousness", 0.0), series=(packed_numbers,))
    assert [(entry.issue, entry.count) for entry in intake.dropped] == [
        (InputIssue.VALUE_NOT_CODED, 1),
        (InputIssue.VALUE_NOT_CODED, 2),
    ]


def test_a_number_is_not_read_from_a_coded_answer() -> None:
    assert dropped(taken(seen("Resp", 16.0), seen("HR", coded_value="80"))) == [("HR", InputIssue.VALUE_NOT_CODED)]


@pytest.mark.parametrize("more", [{}, {"absent_reason": "not-performed"}])
def test_an_absent_value_is_dropped_as_absent(more: dict[str, str]) -> None:
    intake = taken(seen("Resp", 16.0), seen("HR", None, 300.0, **more))
    assert dropped(intake) == [("HR", InputIssue.VALUE_ABSENT)]


def test_a_reason_for_absence_outweighs_a_value() -> None:
    assert dropped(taken(seen("HR", 80.0, absent_reason="error"))) == [("HR", InputIssue.VALUE_ABSENT)]


def test_a_vital_sign_without_a_time_is_dropped() -> None:
    assert dropped(taken(seen("HR", 80.0, effective_time_s=None))) == [("HR", InputIssue.TIME_REQUIRED)]


def test_parts_of_the_coma_score_add_up_where_no_total_was_sent() -> None:
    parts = (seen("GCSEye", 3.0), seen("GCSVerbal", 4.0), seen("GCSMotor", 6.0))
    intake = taken(*parts)
    assert parameter(intake, "GCS").value == 13.0
    assert {used.channel for used in intake.used} == {"GCSEye", "GCSVerbal", "GCSMotor"}
    assert parameter(taken(*parts[:2]), "GCS").status is InputStatus.MISSING
    apart = (*parts[:2], seen("GCSMotor", 6.0, 900.0))
    assert parameter(taken(*apart), "GCS").status is InputStatus.MISSING


def test_a_total_that_was_sent_later_stands_beside_computed_ones() -> None:
    parts = tuple(seen(name, value, 900.0) for name, value in (("GCSEye", 3.0), ("GCSVerbal", 4.0), ("GCSMotor", 6.0)))
    assert parameter(taken(*parts, seen("GCS", 15.0, 300.0)), "GCS").value == 15.0
    assert parameter(taken(*parts, seen("GCS", 15.0, 1800.0)), "GCS").value == 13.0


@pytest.mark.parametrize(("value", "unit"), [(12.5, "{score}"), (2.0, "1"), (16.0, "")])
def test_a_coma_score_is_a_whole_number_from_3_to_15_with_any_unit_for_a_score(value: float, unit: str) -> None:
    assert dropped(taken(seen("Resp", 16.0), seen("GCS", value, unit=unit))) == [("GCS", InputIssue.OUT_OF_RANGE)]
    assert parameter(taken(seen("GCS", 14.0, unit=unit)), "GCS").value == 14.0


def test_a_stale_supporting_value_is_flagged_with_its_limit() -> None:
    intake = taken(seen("HR", 80.0), seen("Lactate", 3.0, 7 * 3600.0))
    assert flagged(intake) == [("Lactate", InputIssue.STALE)]
    assert "360 minutes" in intake.flags[0].detail
