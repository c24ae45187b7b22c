"""Encounters as they come: simulated stays hour by hour, and mixtures of every channel, unit, time and status."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from stepdown.api.v1 import observations_pb2 as wire
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.client.psv import read_stay
from stepdown.clinical.channel import Channel
from stepdown.clinical.channels import CHANNELS, ROWS
from stepdown.domain.observations import CodeSystem
from tests.fakes.clock import START_S
from tests.known_answer.replies.bad_requests import well

STAYS = Path(__file__).resolve().parents[3] / "deploy" / "demo" / "stays"
_LOINC = {row.name: row.loinc for row in ROWS if row.loinc}
_GRIDS = ((0,), tuple(range(24)), tuple(range(48)), tuple(range(0, 46, 5)), (3, 3, 4), (5, 2, 9), (0, 60))
_STATUSES = (*[wire.OBSERVATION_STATUS_FINAL] * 12, *wire.ObservationStatus.values())


def stay_requests(*, each: int) -> Iterator[AssessRiskRequest]:
    """Every `each`-th hour of the stays that the demo replays; packed series in the challenge's own columns."""
    for path in sorted(STAYS.glob("*.psv")):
        for hour, request in enumerate(read_stay(path).requests(ending=datetime.fromtimestamp(START_S, UTC))):
            if hour % each == 0:
                request.request_id = f"{path.stem}-{hour}"
                request.subject_token, request.encounter_token = f"s-{path.stem}-0", f"e-{path.stem}-0"
                yield request


def mixed_requests(count: int, *, seed: int) -> Iterator[AssessRiskRequest]:
    """Half of them packed; values possible and others, units of the channel and others, few times so that they meet."""
    for number in range(count):
        chance = Random(seed * 1_000_003 + number)  # a schedule to repeat
        request = well(f"mixed-{number}")
        if chance.random() < 0.8:
            request.ClearField("observations")
        _indicate(request.indication, chance)
        if chance.random() < 0.1:
            request.as_of_time.nanos = chance.randrange(10**9)
        for _ in range(chance.choice((0, 3, 12, 30))):
            _pack(request, chance)
        for _ in range(chance.choice((0, 2, 10, 40))):
            _observe(request, chance)
        request.strict = chance.random() < 0.05
        request.want_contributions = chance.random() < 0.2
        yield request


def _indicate(indication: wire.Indication, chance: Random) -> None:
    indication.age_years = chance.choice((64.0, 64.5, 30.0, 17.0, 9.0, 125.0, 80.0, 45.0))
    _draw(indication, "sex", wire.Sex.values(), chance)
    _draw(indication, "pregnancy", (0, 0, 0, *wire.Pregnancy.values()), chance)
    _draw(indication, "care_setting", wire.CareSetting.values(), chance)
    _draw(indication, "spo2_scale", (0, *wire.Spo2Scale.values()), chance)
    indication.spo2_scale_2_confirmed = chance.random() < 0.5
    _draw(indication, "icu_unit", wire.IcuUnit.values(), chance)
    if chance.random() < 0.3:
        indication.icu_admission_time.FromMilliseconds(round((START_S - chance.randrange(400_000)) * 1000))
        indication.hospital_admission_time.FromMilliseconds(round((START_S - chance.randrange(900_000)) * 1000))


def _draw(message: wire.Indication | wire.Observation, field: str, numbers: Sequence[int], chance: Random) -> None:
    setattr(message, field, chance.choice(numbers))


def _pack(request: AssessRiskRequest, chance: Random) -> None:
    channel, system, code, unit = _named(chance)
    hours = chance.choice(_GRIDS)
    first_s = START_S - chance.choice((90, 90, 600, 3599, 3600, -30, -200)) - 3600 * max(hours)
    if chance.random() < 0.5:
        first_s = START_S - 90 - 3600 * max(hours)
    series = request.series.add(code_system=system, code=code, unit=unit)
    series.base_time.FromMilliseconds(round(first_s * 1000))
    series.offsets_ms.extend(hour * 3_600_000 for hour in hours)
    scale = _scale(channel, unit)
    odd = chance.random() < 0.2
    series.values.extend(_value(channel, scale, chance, odd=odd) for _ in hours)
    if chance.random() < 0.1:
        series.source = chance.choice(("monitor-1", "monitor-2"))


def _observe(request: AssessRiskRequest, chance: Random) -> None:
    channel, system, code, unit = _named(chance)
    added = request.observations.add(code_system=system, code=code, unit=unit)
    _draw(added, "status", _STATUSES, chance)
    if channel.answers and chance.random() < 0.8:
        added.coded_value = chance.choice((*channel.answers, "nothing-known"))
    elif chance.random() < 0.97:
        added.value = _value(channel, _scale(channel, unit), chance, odd=chance.random() < 0.1)
    if chance.random() < 0.95:
        ago_s = chance.choice((60, 60, 60, 600, 3600, 3601, 7200, 30_000, 100_000, 172_799, 180_000, 0, -60, -500))
        added.effective_time.FromMilliseconds(round((START_S - ago_s) * 1000))
    if chance.random() < 0.2:
        added.issued_time.FromMilliseconds(round((START_S - chance.choice((10, 20))) * 1000))
    if chance.random() < 0.1:
        added.source = chance.choice(("monitor-1", "monitor-2"))
    _draw(added, "comparator", (*[0] * 20, *wire.Comparator.values()), chance)
    added.time_ambiguous = chance.random() < 0.03


def _named(chance: Random) -> tuple[Channel, str, str, str]:
    """A channel under one of its names, and mostly a unit that this code takes."""
    channel = CHANNELS[chance.choice(sorted(CHANNELS))]
    unit = (
        chance.choice(sorted(channel.units))
        if chance.random() < 0.95
        else chance.choice(("", "mg/dL", "{x}", "furlong"))
    )
    if channel.name in _LOINC and chance.random() < 0.7:
        return channel, CodeSystem.LOINC.value, chance.choice(_LOINC[channel.name]), unit
    return channel, CodeSystem.CINC2019.value, channel.name if chance.random() < 0.97 else "NoSuchColumn", unit


def _scale(channel: Channel, unit: str) -> tuple[float, float]:
    accepted = channel.units.get(unit) or next(iter(channel.units.values()))
    low, high = max(accepted.hard.low, accepted.soft.low), min(accepted.hard.high, accepted.soft.high)
    return low, min(high, max(low, 1.0) * 50)


def _value(channel: Channel, scale: tuple[float, float], chance: Random, *, odd: bool) -> float:
    low, high = scale
    value = low + (high - low) * chance.random()
    if odd and chance.random() < 0.3:
        value = chance.choice((value * 40, -value, 0.0, -0.0, value * 18, value / 18))
    return (
        float(round(value))
        if channel.integral and chance.random() < 0.95
        else round(value, chance.choice((0, 1, 1, 2, 5)))
    )
