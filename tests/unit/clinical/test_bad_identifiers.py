"""Identifiers and texts that no request may carry: rows 22, 23 and 33 of the table of bad inputs.

`test_bad_units_and_times.py` lists where the other rows are.
"""

import pytest

from stepdown.domain.observations import Indication, Observation
from stepdown.domain.reasons import RejectReason
from tests.unit.clinical.building import (
    reasons,
    refusal,
    request,
    seen,
    taken,
    vitals,
)


def test_row_22_an_observation_of_another_patient_or_stay_refuses_the_whole_request() -> None:
    ours = seen("HR", 80.0, encounter_token=request().encounter_token, subject_token=request().subject_token)
    other_stay = ours._replace(field="observations[1000]", encounter_token=ours.encounter_token[::-1])
    other_patient = ours._replace(field="observations[1001]", subject_token=ours.subject_token[::-1])
    error = refusal(ours, other_stay, other_patient)
    assert error.reason is RejectReason.SUBJECT_MISMATCH
    assert reasons(error) == {
        f"{other_stay.field}.encounter_token": RejectReason.SUBJECT_MISMATCH,
        f"{other_patient.field}.subject_token": RejectReason.SUBJECT_MISMATCH,
    }
    taken(ours)


@pytest.mark.parametrize(
    "token",
    [
        "MRN12345678",
        "mrn-0012345",
        "12345678",
        "123-45-6789",
        "9434765919",
        "943-476-5919",
        "943 476 5919",
        "jane.doe@hospital.example",
        "John Smith",
        "SMITH,JOHN",
        "jane-doe",
        "JaneDoe",
        "patient-john-smith",
        "the one in bed 7 by the window",
    ],
)
def test_row_23_a_token_that_reads_like_a_person_refuses_the_request_and_is_not_repeated(token: str) -> None:
    for more in ({"subject_token": token}, {"encounter_token": token}):
        error = refusal(*vitals(), **more)
        assert error.reason is RejectReason.PHI_SUSPECTED
        assert token not in f"{error}{error.violations}"


@pytest.mark.parametrize(
    "observation",
    [
        seen("HR", 80.0, source="Nurse Jones, bed 4"),
        seen("HR", absent_reason="patient John refused"),
        seen("Consciousness", coded_value="jane.doe@hospital.example"),
        seen("HR", 80.0, unit="call 123-45-6789"),
        seen("HR", 80.0, code="MRN 1234567"),
        seen("Consciousness", coded_value="her daughter says that she is not quite herself today, nor was she before"),
    ],
)
def test_row_23_so_does_text_that_somebody_typed_about_one(observation: Observation) -> None:
    assert refusal(*vitals(), observation).reason is RejectReason.PHI_SUSPECTED


@pytest.mark.parametrize("name", ["request_id", "correlation_id"])
def test_row_23_request_names_may_be_numbers_but_not_sentences(name: str) -> None:
    taken(*vitals(), **{name: "20261122093000123456"})
    assert refusal(*vitals(), **{name: "score for Jane Doe"}).reason is RejectReason.PHI_SUSPECTED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("request_id", "a" * 129),
        ("request_id", "a\x00b"),
        ("subject_token", "s-7f3a\n"),
        ("subject_token", "sübject-1"),
        ("encounter_token", "e-1\u202e2"),
        ("encounter_token", "e" * 1_000_000),
        ("correlation_id", "a\tb1"),
        ("correlation_id", "<script>"),
    ],
)
def test_row_33_control_characters_unicode_and_overlong_names_are_refused(name: str, text: str) -> None:
    assert reasons(refusal(*vitals(), **{name: text})) == {name: RejectReason.ID_FORMAT}


def test_row_33_names_that_are_missing_are_asked_for_all_at_once() -> None:
    error = refusal(*vitals(), request_id="", subject_token="", encounter_token="")
    assert reasons(error) == dict.fromkeys(("request_id", "subject_token", "encounter_token"), RejectReason.ID_REQUIRED)


def test_every_violation_is_collected_and_the_gravest_one_leads() -> None:
    unnamed = {"request_id": "", "subject_token": "Jane Doe"}
    error = refusal(seen("HR", float("nan")), as_of_time_s=None, indication=Indication(), **unnamed)
    assert error.reason is RejectReason.PHI_SUSPECTED
    assert set(reasons(error).values()) >= {
        RejectReason.ID_REQUIRED,
        RejectReason.AS_OF_REQUIRED,
        RejectReason.AGE_REQUIRED,
        RejectReason.VALUE_NOT_FINITE,
    }
