from datetime import UTC, datetime
from typing import Any

import pytest

from stepdown.api.v1.observations_pb2 import Comparator, Observation, ObservationStatus
from stepdown.client.fhir_observation import COMPARATORS, STATUSES, observations
from stepdown.client.psv import StayFormatError
from stepdown.transport.codec.enumerations import OBSERVATION_STATUSES
from tests.unit.client.fhir_resources import LOINC, PRIVATE, SNOMED, coding, observation, quantity, without

PLACE = "entry[3] (Observation)"
_TRUE = True


def made(resource: dict[str, Any]) -> list[Observation]:
    return list(observations(PLACE, resource))


def one(resource: dict[str, Any]) -> Observation:
    (only,) = made(resource)
    return only


def refusal(resource: dict[str, Any]) -> str:
    with pytest.raises(StayFormatError) as refused:
        made(resource)
    return str(refused.value)


def test_a_quantity_is_sent_with_its_loinc_code_ucum_unit_and_time() -> None:
    heart = one(observation())
    assert (heart.code_system, heart.code, heart.value, heart.unit) == (LOINC, "8867-4", 88.0, "/min")
    assert heart.effective_time.ToDatetime(UTC) == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert heart.status == ObservationStatus.OBSERVATION_STATUS_FINAL
    assert heart.comparator == Comparator.COMPARATOR_UNSPECIFIED
    assert not heart.HasField("issued_time")


def test_an_offset_is_converted_and_issued_is_kept() -> None:
    heart = one(observation(effectiveDateTime="2026-11-22T10:30:00+02:00", issued="2026-11-22T08:31:00.250Z"))
    assert heart.effective_time.ToDatetime(UTC) == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert heart.issued_time.ToDatetime(UTC) == datetime(2026, 11, 22, 8, 31, 0, 250_000, tzinfo=UTC)


def test_an_effective_instant_is_a_time_too() -> None:
    heart = one(without(observation(effectiveInstant="2026-11-22T08:30:00Z"), "effectiveDateTime"))
    assert heart.effective_time.ToDatetime(UTC) == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11", "2026", None])
def test_a_time_of_day_is_never_made_up(text: str | None) -> None:
    """The server then drops the observation with TIME_REQUIRED and says so."""
    assert not one(observation(effectiveDateTime=text)).HasField("effective_time")


def test_an_observation_of_a_period_has_no_instant() -> None:
    resource = without(observation(effectivePeriod={"start": "2026-11-22T08:30:00Z"}), "effectiveDateTime")
    assert not one(resource).HasField("effective_time")


def test_a_panel_is_its_components_and_has_no_value_of_its_own() -> None:
    panel = without(
        observation(
            "85354-9",
            component=[
                {"code": coding("8480-6"), "valueQuantity": quantity(107, "mm[Hg]")},
                {"code": coding("8462-4"), "valueQuantity": quantity(60, "mm[Hg]")},
                {"code": coding("8478-0"), "dataAbsentReason": coding("not-performed")},
            ],
        ),
        "valueQuantity",
    )
    systolic, diastolic, mean = made(panel)
    assert [(each.code, each.value, each.unit) for each in (systolic, diastolic)] == [
        ("8480-6", 107.0, "mm[Hg]"),
        ("8462-4", 60.0, "mm[Hg]"),
    ]
    assert (mean.code, mean.absent_reason, mean.HasField("value")) == ("8478-0", "not-performed", False)
    assert {each.effective_time.seconds for each in (systolic, diastolic, mean)} == {systolic.effective_time.seconds}


def test_pulse_oximetry_is_its_own_value_and_its_components() -> None:
    oximetry = observation(
        "59408-5",
        valueQuantity=quantity(91, "%"),
        component=[{"code": coding("3151-8"), "valueQuantity": quantity(4, "L/min")}],
    )
    assert [(each.code, each.value) for each in made(oximetry)] == [("59408-5", 91.0), ("3151-8", 4.0)]


def test_the_loinc_code_is_found_among_others_and_what_has_none_is_left_out() -> None:
    local = {"system": "urn:oid:1.2.3", "code": "HR-MON"}
    both = {"coding": [local, {"system": LOINC, "display": "no code"}, {"system": LOINC, "code": "8867-4"}]}
    assert one(observation(code=both)).code == "8867-4"
    assert made(observation(code={"coding": [local], "text": "Heart rate"})) == []
    assert made(observation(code={"text": "Heart rate"})) == []


@pytest.mark.parametrize(
    ("codings", "answer"),
    [
        ([{"system": SNOMED, "code": "248234008"}], "248234008"),
        ([{"system": "urn:oid:1.2.3", "code": "ALERT"}, {"system": SNOMED, "code": "300202002"}], "300202002"),
        ([{"system": "urn:oid:1.2.3", "code": "x"}, {"system": LOINC, "code": "LA9343-0"}], "LA9343-0"),
        ([{"system": "urn:oid:1.2.3", "code": "A"}], "A"),
    ],
)
def test_a_coded_answer_is_the_standard_code_where_there_is_one(codings: list[dict[str, str]], answer: str) -> None:
    level = one(without(observation("67775-7", valueCodeableConcept={"coding": codings}), "valueQuantity"))
    assert (level.coded_value, level.HasField("value"), level.absent_reason) == (answer, False, "")


def test_an_integer_is_a_number_without_a_unit() -> None:
    score = one(without(observation("9269-2", valueInteger=14), "valueQuantity"))
    assert (score.value, score.unit) == (14.0, "")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"dataAbsentReason": coding("not-performed")}, "not-performed"),
        ({"dataAbsentReason": {"text": "machine broken"}}, "unknown"),
        ({"valueQuantity": {"code": "/min"}}, "unsupported"),
        ({"valueQuantity": {"code": "/min"}, "dataAbsentReason": coding("error")}, "error"),
        ({"valueString": "about ninety"}, "unsupported"),
        ({"valueCodeableConcept": {"text": "alert"}}, "unsupported"),
    ],
)
def test_what_has_no_result_that_can_be_sent_is_sent_as_absent(result: dict[str, Any], reason: str) -> None:
    absent = one(without(observation(), "valueQuantity") | result)
    assert (absent.absent_reason, absent.WhichOneof("result")) == (reason, None)


def test_a_printed_unit_is_never_read() -> None:
    assert one(observation(valueQuantity={"value": 88, "unit": "/min"})).unit == ""


@pytest.mark.parametrize(("text", "comparator"), tuple(COMPARATORS.items()))
def test_a_comparator_is_kept(text: str, comparator: Comparator) -> None:
    assert one(observation(valueQuantity=quantity(0.01, "ng/mL", comparator=text))).comparator == comparator


@pytest.mark.parametrize(("text", "status"), tuple(STATUSES.items()))
def test_a_status_is_fhirs_own(text: str, status: ObservationStatus) -> None:
    assert one(observation(status=text)).status == status
    assert OBSERVATION_STATUSES[status].value == text


@pytest.mark.parametrize("status", ["done", "FINAL", "unspecified", "wrong-patient", ""])
def test_a_status_that_fhir_does_not_know_is_refused_with_those_it_does(status: str) -> None:
    said = refusal(observation(status=status))
    assert said == f"{PLACE}: status is none of FHIR R4's: {', '.join(STATUSES)}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"valueQuantity": quantity(1, "/min", comparator=PRIVATE)}, "comparator is none of FHIR R4's: < <= > >="),
        ({"valueQuantity": quantity(PRIVATE, "/min")}, "its value must be a finite JSON number"),
        ({"valueQuantity": quantity(_TRUE, "/min")}, "its value must be a finite JSON number"),
        ({"valueQuantity": quantity(float("inf"), "/min")}, "its value must be a finite JSON number"),
        ({"valueQuantity": quantity(10**400, "/min")}, "its value must be a finite JSON number"),
        ({"effectiveDateTime": f"2026-11-22T{PRIVATE}"}, "effectiveDateTime must be a FHIR dateTime such as"),
        ({"effectiveDateTime": "2026-11-22T08:30:00"}, "effectiveDateTime has no time zone: add Z or the offset"),
        ({"issued": "2026-11-22T08:30:00"}, "issued has no time zone: add Z or the offset"),
        ({"effectiveDateTime": 20261122}, "not shaped as FHIR R4 shapes an Observation"),
        ({"status": [PRIVATE]}, "not shaped as FHIR R4 shapes an Observation"),
        ({"component": PRIVATE}, "not shaped as FHIR R4 shapes an Observation"),
        ({"code": PRIVATE}, "not shaped as FHIR R4 shapes an Observation"),
        ({"component": [{"valueQuantity": quantity(1, "%")}]}, "no code: FHIR R4 requires it"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place_and_remedy_and_not_quoted(
    changes: dict[str, Any], said: str
) -> None:
    refused = refusal(observation(**changes))
    assert refused.startswith(f"{PLACE}: {said}")
    assert PRIVATE not in refused


@pytest.mark.parametrize("name", ["status", "code"])
def test_what_fhir_requires_is_named_where_it_is_missing(name: str) -> None:
    assert refusal(without(observation(), name)) == f"{PLACE}: no {name}: FHIR R4 requires it"
