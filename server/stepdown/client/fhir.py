"""A FHIR R4 Bundle of one Patient and Observations as one request, as of its newest observation.

Refuses to guess, and to mix: one patient, one subject. What has no LOINC code is left out; what has one but no result
that can be sent is sent as absent, so that the answer lists it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.client.encounter import Encounter
from stepdown.client.fhir_observation import Json, observations
from stepdown.client.psv import StayFormatError

_OLDEST_STATED_YEARS = 90.0
_MONTHS_PER_YEAR = 12


def read_bundle(path: Path) -> AssessRiskRequest:
    """Read one file. Raises StayFormatError."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise StayFormatError(f"{path.name}: not JSON in UTF-8: export the Bundle as FHIR JSON") from None
    try:
        return bundle_request(document)
    except StayFormatError as problem:
        raise StayFormatError(f"{path.name}: {problem}") from None


def bundle_request(bundle: object) -> AssessRiskRequest:
    """The request that a Bundle makes. Raises StayFormatError, which names the entry and quotes nothing of it."""
    patients = tuple(_resources(bundle, "Patient"))
    if len(patients) != 1:
        raise StayFormatError(f"holds {len(patients)} Patients: a request is about one")
    found = tuple(_resources(bundle, "Observation"))
    if len({_subject(resource) for _, resource in found} - {""}) > 1:
        raise StayFormatError("its Observations are of more than one subject: a request is about one patient")
    made = [observation for place, resource in found for observation in observations(place, resource)]
    times = [each.effective_time.ToDatetime(UTC) for each in made if each.HasField("effective_time")]
    if not times:
        raise StayFormatError("no Observation has a LOINC code, a result and an effectiveDateTime with a time of day")
    place, patient = patients[0]
    encounter = Encounter(age_years=_age_years(place, patient, as_of=max(times)), sex=_sex(patient))
    request = encounter.request(as_of=max(times))
    request.observations.extend(made)
    return request


def _resources(bundle: object, kind: str) -> Iterator[tuple[str, Json]]:
    """Each resource of a kind, with where it stands."""
    entries = bundle.get("entry") if isinstance(bundle, Mapping) else None
    if not isinstance(entries, list):
        raise StayFormatError("not a FHIR Bundle: no list named entry")
    for number, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and resource.get("resourceType") == kind:
            yield f"entry[{number}] ({kind})", resource


def _subject(resource: Json) -> str:
    subject = resource.get("subject")
    return str(subject.get("reference", "")) if isinstance(subject, Mapping) else ""


def _age_years(place: str, patient: Json, *, as_of: datetime) -> float:
    """In completed months; 90 for anyone older, as the contract asks."""
    born = _youngest_birthday(place, patient)
    months = (as_of.year - born.year) * _MONTHS_PER_YEAR + as_of.month - born.month - (as_of.day < born.day)
    return min(months / _MONTHS_PER_YEAR, _OLDEST_STATED_YEARS)


def _youngest_birthday(place: str, patient: Json) -> date:
    """The last day that a birth date may mean, so that nobody who may be a child is scored as an adult."""
    text = patient.get("birthDate")
    if text is None:
        raise StayFormatError(f"{place}: no birthDate: age decides which scores apply")
    try:
        year, month, day = (*map(int, text.split("-")), 0, 0)[:3]
        if not month:
            return date(year, 12, 31)
        if not day:
            following = date(year + month // 12, month % 12 + 1, 1)
            return date.fromordinal(following.toordinal() - 1)
        return date(year, month, day)
    except (AttributeError, TypeError, ValueError):
        raise StayFormatError(f"{place}: birthDate must be a FHIR date such as 1956-03-01, 1956-03 or 1956") from None


def _sex(patient: Json) -> str:
    gender = patient.get("gender")
    return gender if gender in {"female", "male"} else "unknown"
