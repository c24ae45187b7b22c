"""An `AssessRiskRequest` to begin from: a well adult with a full set of vital signs, now."""

import time
from itertools import count

from stepdown.api.v1 import observations_pb2 as wire
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from tests.fakes.statuses import PATHWAY

LOINC = "http://loinc.org"
VITALS = (
    ("9279-1", 16.0, "/min"),
    ("59408-5", 98.0, "%"),
    ("8480-6", 120.0, "mm[Hg]"),
    ("8867-4", 75.0, "/min"),
    ("8310-5", 37.0, "Cel"),
    ("3150-0", 21.0, "%"),
)
SUBJECT = "subject-4f1c2a9e77d04d2c9b1e"
ENCOUNTER = "encounter-8d3b0c6e51f2"
_numbers = count()


def observation(code: str, value: float, unit: str, *, at_s: float) -> wire.Observation:
    """A LOINC measurement."""
    message = wire.Observation(code_system=LOINC, code=code, value=value, unit=unit)
    message.effective_time.FromMilliseconds(round(at_s * 1000))
    return message


def assess_request(*, vitals: bool = True, now_s: float | None = None, **changes: object) -> AssessRiskRequest:
    """The well adult; `changes` are fields of the request."""
    now_s = time.time() if now_s is None else now_s
    message = AssessRiskRequest(
        request_id=f"request-{next(_numbers):06d}",
        pathway=PATHWAY,
        subject_token=SUBJECT,
        encounter_token=ENCOUNTER,
        indication=wire.Indication(age_years=64.0),
        correlation_id="order-17",
    )
    message.as_of_time.FromMilliseconds(round(now_s * 1000))
    for code, value, unit in VITALS if vitals else ():
        message.observations.append(observation(code, value, unit, at_s=now_s - 60))
    if vitals:
        alert = wire.Observation(code_system=LOINC, code="67775-7", coded_value="A")
        alert.effective_time.FromMilliseconds(round((now_s - 60) * 1000))
        message.observations.append(alert)
    for name, changed in changes.items():
        setattr(message, name, changed)
    return message
