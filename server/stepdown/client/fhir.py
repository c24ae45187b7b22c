"""A FHIR R4 Bundle of a Patient and Observations as one request, as of its newest observation.

Takes LOINC-coded quantities in UCUM, blood pressure panels by their components, and levels of responsiveness. Refuses
to guess: a resource it cannot read is left out only when the specification says that it carries no result.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.api.v1.observations_pb2 import Comparator, Observation
from stepdown.client.encounter import LOINC, Encounter
from stepdown.client.psv import StayFormatError

Json: TypeAlias = Mapping[str, Any]
_COMPARATORS = {
    "<": Comparator.COMPARATOR_LESS,
    "<=": Comparator.COMPARATOR_LESS_OR_EQUAL,
    ">": Comparator.COMPARATOR_GREATER,
    ">=": Comparator.COMPARATOR_GREATER_OR_EQUAL,
}
_DAYS_PER_YEAR = 365.2425


def read_bundle(path: Path) -> AssessRiskRequest:
    """Read one file. Raises StayFormatError."""
    try:
        document = json.loads(path.read_text("utf-8"))
        resources = [entry["resource"] for entry in document["entry"]]
        patient = next(resource for resource in resources if resource["resourceType"] == "Patient")
        observations = [resource for resource in resources if resource["resourceType"] == "Observation"]
        made = [each for resource in observations for each in _observations(resource)]
        as_of = max(each.effective_time.ToDatetime(UTC) for each in made)
        encounter = Encounter(age_years=_age_years(patient, as_of), sex=_sex(patient))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise StayFormatError(
            f"{path.name}: not a FHIR R4 Bundle with a Patient (birthDate) and Observations (effectiveDateTime): "
            f"{type(error).__name__}"
        ) from None
    request = encounter.request(as_of=as_of)
    request.observations.extend(made)
    return request


def _observations(resource: Json) -> Iterator[Observation]:
    for part in (resource, *resource.get("component", ())):
        code = next((coding for coding in part["code"]["coding"] if coding.get("system") == LOINC), None)
        if code is None or not any(key.startswith("value") or key == "dataAbsentReason" for key in part):
            continue  # a panel has no value of its own
        observation = Observation(
            code_system=LOINC,
            code=code["code"],
            status=f"OBSERVATION_STATUS_{resource['status'].upper().replace('-', '_')}",
        )
        observation.effective_time.FromDatetime(datetime.fromisoformat(resource["effectiveDateTime"]).astimezone(UTC))
        _give_result(observation, part)
        yield observation


def _give_result(observation: Observation, part: Json) -> None:
    quantity = part.get("valueQuantity")
    if quantity is not None:
        observation.value = float(quantity["value"])
        observation.unit = quantity.get("code", "")
        observation.comparator = _COMPARATORS.get(quantity.get("comparator", ""), Comparator.COMPARATOR_UNSPECIFIED)
    elif "valueCodeableConcept" in part:
        observation.coded_value = part["valueCodeableConcept"]["coding"][0]["code"]
    else:
        observation.absent_reason = "unknown"


def _age_years(patient: Json, as_of: datetime) -> float:
    born = date.fromisoformat(patient["birthDate"])
    return (as_of.date() - born).days / _DAYS_PER_YEAR


def _sex(patient: Json) -> str:
    gender = str(patient.get("gender", "unknown"))
    return gender if gender in {"female", "male"} else "unknown"
