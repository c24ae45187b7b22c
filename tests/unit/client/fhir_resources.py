"""FHIR resources to begin from: a test names only what it is about. Text that no error may repeat is marked PRIVATE."""

from typing import Any

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
EFFECTIVE = "2026-11-22T08:30:00Z"
PRIVATE = "never-repeat-this"


def coding(code: str, system: str = LOINC) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def quantity(value: object, unit: str, **more: object) -> dict[str, Any]:
    """A Quantity in UCUM, with a printed unit that must not be read."""
    return {"value": value, "unit": "printed unit", "system": UCUM, "code": unit, **more}


def patient(**changes: object) -> dict[str, Any]:
    """A woman born in 1956."""
    return {
        "resourceType": "Patient",
        "id": PRIVATE,
        "name": [{"family": PRIVATE}],
        "gender": "female",
        "birthDate": "1956-03-01",
        **changes,
    }


def observation(loinc: str = "8867-4", /, **changes: object) -> dict[str, Any]:
    """A final heart rate."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coding(loinc),
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": EFFECTIVE,
        "valueQuantity": quantity(88, "/min"),
        **changes,
    }


def without(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    """The resource without some of its elements."""
    return {name: element for name, element in resource.items() if name not in names}


def bundle(*resources: object) -> dict[str, Any]:
    """A Bundle of these resources."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{number}", "resource": each} for number, each in enumerate(resources)],
    }
