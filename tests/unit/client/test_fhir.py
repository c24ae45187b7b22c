import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stepdown.api.v1.observations_pb2 import Sex
from stepdown.client.fhir import bundle_request, read_bundle
from stepdown.client.fhir_observation import STATUSES
from stepdown.client.psv import StayFormatError
from stepdown.domain.bands import Band
from stepdown.domain.observations import ClinicalRequest
from stepdown.transport.codec.requests import RequestLimits, decode_request
from tests.fakes.clinical_pathways import clinical_pathway
from tests.unit.client.fhir_resources import (
    EFFECTIVE,
    PRIVATE,
    bundle,
    coding,
    observation,
    patient,
    quantity,
    without,
)

AS_OF = datetime.fromisoformat(EFFECTIVE)


def refusal(document: object) -> str:
    with pytest.raises(StayFormatError) as refused:
        bundle_request(document)
    return str(refused.value)


def ward_round() -> dict[str, Any]:
    """A full set of vital signs as an EHR exports it, NEWS2 of 2 + 1 + 2 + 1 + 1 + 0 + 1 = 8."""
    pressure = without(
        observation(
            "85354-9",
            component=[
                {"code": coding("8480-6"), "valueQuantity": quantity(105, "mm[Hg]")},
                {"code": coding("8462-4"), "valueQuantity": quantity(62, "mm[Hg]")},
            ],
        ),
        "valueQuantity",
    )
    alert = without(
        observation("67775-7", valueCodeableConcept=coding("248234008", "http://snomed.info/sct")), "valueQuantity"
    )
    return bundle(
        patient(),
        observation("9279-1", valueQuantity=quantity(22, "/min")),
        observation("2708-6", valueQuantity=quantity(95, "%")),
        observation("3151-8", valueQuantity=quantity(2, "L/min")),
        pressure,
        observation("8867-4", valueQuantity=quantity(108, "{beats}/min")),
        alert,
        observation("8310-5", valueQuantity=quantity(101.3, "[degF]")),
        {"resourceType": "Device", "id": "pump"},
    )


def decoded(document: dict[str, Any]) -> ClinicalRequest:
    return decode_request(bundle_request(document), limits=RequestLimits())


def test_a_ward_round_is_scored_whole_with_nothing_dropped() -> None:
    prepared = clinical_pathway().prepare(decoded(ward_round()), received_time_s=AS_OF.timestamp())
    assert prepared.intake.dropped == ()
    assert prepared.rules is not None
    assert prepared.rules.answering.total == 8
    assert (prepared.rules.band, prepared.rules.answering.missing) == (Band.HIGH, ())


def test_a_request_is_as_of_its_newest_observation() -> None:
    request = bundle_request(bundle(patient(), observation(effectiveDateTime="2026-11-22T07:00:00Z"), observation()))
    assert request.as_of_time.ToDatetime(UTC) == AS_OF


def test_no_identifier_of_the_bundle_reaches_the_request() -> None:
    request = bundle_request(bundle(patient(), observation(id=PRIVATE, note=[{"text": PRIVATE}])))
    assert PRIVATE.encode() not in request.SerializeToString()


@pytest.mark.parametrize(
    ("gender", "sex"),
    [("female", Sex.SEX_FEMALE), ("male", Sex.SEX_MALE), ("other", Sex.SEX_UNKNOWN), (None, Sex.SEX_UNKNOWN)],
)
def test_gender_is_female_male_or_unknown(gender: str | None, sex: Sex) -> None:
    assert bundle_request(bundle(patient(gender=gender), observation())).indication.sex == sex


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2008-11-22", 18.0),
        ("2008-11-23", 18.0 - 1 / 12),
        ("2008-02-29", 18.0 + 8 / 12),
        ("1956-03-01", 70.0 + 8 / 12),
        ("1956-03", 70.0 + 7 / 12),
        ("1955-12", 70.0 + 10 / 12),
        ("1956", 69.0 + 10 / 12),
        ("1931-01-01", 90.0),
    ],
)
def test_age_is_in_completed_months_of_the_youngest_it_may_be_and_90_for_anyone_older(born: str, age: float) -> None:
    assert bundle_request(bundle(patient(birthDate=born), observation())).indication.age_years == pytest.approx(age)


@pytest.mark.parametrize("born", [PRIVATE, f"{PRIVATE}-03-01", "1956-13-01", "1956-02-30", "", 1956])
def test_a_birth_date_that_is_none_is_refused_and_not_quoted(born: object) -> None:
    said = refusal(bundle(patient(birthDate=born), observation()))
    assert said == "entry[0] (Patient): birthDate must be a FHIR date such as 1956-03-01, 1956-03 or 1956"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "not a FHIR Bundle: no list named entry"),
        ({"entry": {}}, "not a FHIR Bundle: no list named entry"),
        (bundle(observation()), "holds 0 Patients: a request is about one"),
        (bundle(patient(), patient(), observation()), "holds 2 Patients: a request is about one"),
        (
            bundle(without(patient(), "birthDate"), observation()),
            "entry[0] (Patient): no birthDate: age decides which scores apply",
        ),
        (
            bundle(patient(), observation(), observation(subject={"reference": f"Patient/{PRIVATE}"})),
            "its Observations are of more than one subject: a request is about one patient",
        ),
        (
            bundle(patient()),
            "no Observation has a LOINC code, a result and an effectiveDateTime with a time of day",
        ),
        (
            bundle(patient(), observation(effectiveDateTime="2026-11-22")),
            "no Observation has a LOINC code, a result and an effectiveDateTime with a time of day",
        ),
        (
            bundle(patient(), {"resourceType": "Device"}, observation(status=PRIVATE)),
            f"entry[2] (Observation): status is none of FHIR R4's: {', '.join(STATUSES)}",
        ),
    ],
)
def test_a_bundle_that_makes_no_request_is_refused_with_the_reason(document: object, said: str) -> None:
    assert refusal(document) == said


def test_entries_without_a_resource_and_observations_without_a_subject_are_no_obstacle() -> None:
    document = bundle(patient(), without(observation(), "subject"))
    document["entry"] += [{"request": {"method": "GET"}}, None]
    assert len(bundle_request(document).observations) == 1


def test_a_file_is_read_and_its_name_stands_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "ward.json"
    path.write_text(json.dumps(ward_round()), encoding="utf-8")
    assert len(read_bundle(path).observations) == 8
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(StayFormatError, match=r"^ward\.json: not a FHIR Bundle"):
        read_bundle(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}", b"[" * 100_000], ids=["cut", "not UTF-8", "too deep"])
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ward.json"
    path.write_bytes(content)
    with pytest.raises(StayFormatError, match=r"^ward\.json: not JSON in UTF-8"):
        read_bundle(path)
