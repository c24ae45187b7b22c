"""Requests as a hospital sends them: eight vital signs hourly for a day and twenty laboratory values, all different.

Some units are not the canonical ones, so that conversion is part of what is measured.
"""

import time
import uuid
from random import Random

from stepdown.api.v1 import observations_pb2 as wire
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.client.encounter import DEMO_PATHWAY, LEVEL_OF_RESPONSIVENESS, LOINC

HOUR_MS = 3_600_000
HOURS = 24
_OLDEST_DRAW_MIN = 20 * 60
_AGES = (40, 90)

# Code, unit, lowest and highest.
_VITALS = (
    ("8867-4", "/min", 60.0, 110.0),
    ("59408-5", "%", 92.0, 99.0),
    ("8310-5", "Cel", 36.0, 39.0),
    ("8480-6", "mm[Hg]", 95.0, 150.0),
    ("8478-0", "mm[Hg]", 72.0, 90.0),
    ("8462-4", "mm[Hg]", 50.0, 70.0),
    ("9279-1", "/min", 12.0, 24.0),
    ("3150-0", "%", 21.0, 40.0),
)
_LABORATORY = (
    ("1925-7", "mmol/L", -4.0, 4.0),
    ("1963-8", "mmol/L", 18.0, 28.0),
    ("2744-1", "[pH]", 7.2, 7.5),
    ("2019-8", "mm[Hg]", 32.0, 50.0),
    ("2524-7", "mmol/L", 0.8, 4.0),
    ("1920-8", "U/L", 10.0, 80.0),
    ("3094-0", "mg/dL", 8.0, 50.0),
    ("6768-6", "U/L", 40.0, 120.0),
    ("17861-6", "mg/dL", 8.0, 10.0),
    ("2075-0", "mmol/L", 95.0, 110.0),
    ("14682-9", "umol/L", 60.0, 200.0),
    ("15074-8", "mmol/L", 4.0, 12.0),
    ("19123-9", "mg/dL", 1.6, 2.4),
    ("14879-1", "mmol/L", 0.8, 1.6),
    ("2823-3", "mmol/L", 3.5, 5.2),
    ("14631-6", "umol/L", 5.0, 40.0),
    ("4544-3", "%", 28.0, 45.0),
    ("718-7", "g/L", 80.0, 140.0),
    ("6690-2", "10*9/L", 4.0, 18.0),
    ("777-3", "10*9/L", 100.0, 400.0),
)


def encounter(number: int, *, packed: bool = True) -> AssessRiskRequest:
    """Encounter `number`, as of now: in packed series, or with every measurement as an observation of its own."""
    chance = Random(number)  # noqa: S311  # the same encounters in every run
    as_of_ms = time.time_ns() // 1_000_000
    request = AssessRiskRequest(
        request_id=_token(chance),
        pathway=DEMO_PATHWAY,
        subject_token=_token(chance),
        encounter_token=_token(chance),
        indication=wire.Indication(
            age_years=chance.randint(*_AGES), sex=wire.SEX_FEMALE, care_setting=wire.CARE_SETTING_ICU
        ),
    )
    request.as_of_time.FromMilliseconds(as_of_ms)
    hourly = [hour * HOUR_MS - 300_000 for hour in range(1, HOURS + 1)]
    for code, unit, low, high in _VITALS:
        values = [round(chance.uniform(low, high), 1) for _ in hourly]
        _add(request, (code, unit), values, offsets_ms=hourly, packed=packed)
    for code, unit, low, high in _LABORATORY:
        drawn_ms = HOURS * HOUR_MS - 60_000 * chance.randrange(10, _OLDEST_DRAW_MIN)
        _add(request, (code, unit), [round(chance.uniform(low, high), 2)], offsets_ms=[drawn_ms], packed=packed)
    alert = request.observations.add(code_system=LOINC, code=LEVEL_OF_RESPONSIVENESS, coded_value="A")
    alert.effective_time.FromMilliseconds(as_of_ms - 600_000)
    return request


def _add(
    request: AssessRiskRequest, code: tuple[str, str], values: list[float], *, offsets_ms: list[int], packed: bool
) -> None:
    first_ms = request.as_of_time.ToMilliseconds() - HOURS * HOUR_MS
    named, unit = code
    if packed:
        series = request.series.add(code_system=LOINC, code=named, unit=unit, offsets_ms=offsets_ms, values=values)
        series.base_time.FromMilliseconds(first_ms)
        return
    for value, offset_ms in zip(values, offsets_ms, strict=True):
        observation = request.observations.add(code_system=LOINC, code=named, unit=unit, value=value)
        observation.effective_time.FromMilliseconds(first_ms + offset_ms)


def _token(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128)))
