"""Reads a UCUM unit for a code. Never assumes a unit that was not sent and never converts by guess."""

import re

from stepdown.clinical.channel import AcceptedUnit, CodedChannel
from stepdown.clinical.channels import KNOWN_UNITS
from stepdown.domain.reasons import InputIssue

# UCUM: text in braces annotates and has no meaning, so `{beats}/min` is `/min`.
_ANNOTATION = re.compile(r"\{[^{}]*\}")


def accepted_unit(coded: CodedChannel, unit: str) -> AcceptedUnit | None:
    """The unit as this code accepts it, or None."""
    accepted = coded.units.get(unit or coded.default_unit)
    if accepted is None and "{" in unit:
        accepted = coded.units.get(_ANNOTATION.sub("", unit))
    return accepted


def unit_issue(unit: str) -> InputIssue:
    """Why a unit was not accepted: it measures something else, or it is no unit known here."""
    known = _ANNOTATION.sub("", unit) in KNOWN_UNITS
    return InputIssue.UNIT_INCOMPATIBLE if known else InputIssue.UNIT_UNKNOWN


def unit_hint(coded: CodedChannel) -> str:
    """How to mend a unit."""
    return f"send the value with one of these UCUM units: {', '.join(unit for unit in coded.units if unit)}"


def likely_unit(value: float, accepted: AcceptedUnit, coded: CodedChannel) -> str | None:
    """The unit that would make sense of a value which this one does not; None if none would."""
    for suspicion in accepted.suspicions:
        if suspicion.limits.hold(value):
            return suspicion.likely_unit
    for other in coded.units.values():
        if other.conversion != accepted.conversion and other.hard.hold(value) and other.soft.hold(value):
            return other.unit
    return None


def is_known_unit(unit: str) -> bool:
    """Whether this is a unit known here, for any quantity; annotations aside."""
    return unit in KNOWN_UNITS or _ANNOTATION.sub("", unit) in KNOWN_UNITS
