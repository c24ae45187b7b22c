"""One FHIR R4 Observation as observations of a request: its own result, and that of each of its components.

Refuses to guess: no unit from a printed one, no time zone, no time of day, no status or comparator outside FHIR's list.
Refuses to quote what it cannot read.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeAlias

from stepdown.api.v1.observations_pb2 import Comparator, Observation, ObservationStatus
from stepdown.client.encounter import LOINC
from stepdown.client.psv import StayFormatError

Json: TypeAlias = Mapping[str, Any]

STATUSES: Mapping[str, ObservationStatus] = {
    "registered": ObservationStatus.OBSERVATION_STATUS_REGISTERED,
    "preliminary": ObservationStatus.OBSERVATION_STATUS_PRELIMINARY,
    "final": ObservationStatus.OBSERVATION_STATUS_FINAL,
    "amended": ObservationStatus.OBSERVATION_STATUS_AMENDED,
    "corrected": ObservationStatus.OBSERVATION_STATUS_CORRECTED,
    "cancelled": ObservationStatus.OBSERVATION_STATUS_CANCELLED,
    "entered-in-error": ObservationStatus.OBSERVATION_STATUS_ENTERED_IN_ERROR,
    "unknown": ObservationStatus.OBSERVATION_STATUS_UNKNOWN,
}
COMPARATORS: Mapping[str, Comparator] = {
    "<": Comparator.COMPARATOR_LESS,
    "<=": Comparator.COMPARATOR_LESS_OR_EQUAL,
    ">": Comparator.COMPARATOR_GREATER,
    ">=": Comparator.COMPARATOR_GREATER_OR_EQUAL,
}
_SNOMED = "http://snomed.info/sct"
_LENGTH_OF_DATE = len("2026-11-22")


def observations(place: str, resource: Json) -> Iterator[Observation]:
    """Every LOINC-coded result of a resource. `place` names it in errors. Raises StayFormatError."""
    try:
        for part in (resource, *resource.get("component", ())):
            code = next((coding["code"] for coding in _codings(part["code"]) if coding.get("system") == LOINC), None)
            # A panel has no value of its own.
            if code is not None and (_is_sent(part) or "dataAbsentReason" in part):
                yield _observation(place, resource, part, code)
    except KeyError as missing:
        raise StayFormatError(f"{place}: no {missing.args[0]}: FHIR R4 requires it") from None
    except (AttributeError, TypeError):
        raise StayFormatError(f"{place}: not shaped as FHIR R4 shapes an Observation") from None


def _observation(place: str, resource: Json, part: Json, code: str) -> Observation:
    status = STATUSES.get(resource["status"])
    if status is None:
        raise StayFormatError(f"{place}: status is none of FHIR R4's: {', '.join(STATUSES)}")
    observation = Observation(code_system=LOINC, code=code, status=status)
    effective = _instant(place, resource, "effectiveDateTime") or _instant(place, resource, "effectiveInstant")
    if effective is not None:
        observation.effective_time.FromDatetime(effective)
    issued = _instant(place, resource, "issued")
    if issued is not None:
        observation.issued_time.FromDatetime(issued)
    _give_result(place, observation, part)
    return observation


def _give_result(place: str, observation: Observation, part: Json) -> None:
    quantity = part.get("valueQuantity", {"value": part["valueInteger"]} if "valueInteger" in part else {})
    answers = _codings(part.get("valueCodeableConcept", {}))
    if "value" in quantity:
        observation.value = _number(place, quantity["value"])
        observation.unit = quantity.get("code", "")
        observation.comparator = _comparator(place, quantity.get("comparator"))
    elif answers:
        known = (each for each in answers if each.get("system") in {_SNOMED, LOINC})
        observation.coded_value = next(known, answers[0])["code"]
    else:
        why = _codings(part.get("dataAbsentReason", {}))
        observation.absent_reason = why[0]["code"] if why else "unsupported" if _is_sent(part) else "unknown"


def _is_sent(part: Json) -> bool:
    return any(key.startswith("value") for key in part)


def _number(place: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            if isfinite(number := float(value)):
                return number
        except OverflowError:
            pass
    raise StayFormatError(f"{place}: its value must be a finite JSON number")


def _comparator(place: str, comparator: str | None) -> Comparator:
    if comparator is None:
        return Comparator.COMPARATOR_UNSPECIFIED
    if comparator not in COMPARATORS:
        raise StayFormatError(f"{place}: comparator is none of FHIR R4's: {' '.join(COMPARATORS)}")
    return COMPARATORS[comparator]


def _codings(concept: Json) -> list[Json]:
    return [coding for coding in concept.get("coding", ()) if "code" in coding]


def _instant(place: str, resource: Json, name: str) -> datetime | None:
    """The instant under a name. None for none, and for a date: the time of day is not made up."""
    text = resource.get(name)
    if text is None or len(text) <= _LENGTH_OF_DATE:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StayFormatError(f"{place}: {name} must be a FHIR dateTime such as 2026-11-22T08:30:00Z") from None
    if moment.tzinfo is None:
        raise StayFormatError(f"{place}: {name} has no time zone: add Z or the offset, as FHIR requires")
    return moment.astimezone(UTC)
