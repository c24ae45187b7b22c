"""An `AssessRiskRequest` as the domain's `ClinicalRequest`.

Refuses, before a single Python object is made of them, more observations than a request may hold; and enum numbers
that this version of the contract does not name, since a guess about a patient is not made: all of them at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from stepdown.api.v1 import observations_pb2
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.observations import ClinicalRequest, Indication, Observation, ObservationSeries
from stepdown.domain.reasons import RejectReason
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.transport.codec import enumerations
from stepdown.transport.codec.times import unix_s

Member = TypeVar("Member")

_SHEDDING = LoadShedding()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """How much one request may hold; `series_values` counts over all its series.

    `shedding` is what a request is held to that had to wait for the server.
    """

    observations: int = 10_000
    series: int = 512
    series_values: int = 50_000
    shedding: LoadShedding = _SHEDDING


def decode_request(message: AssessRiskRequest, *, limits: RequestLimits) -> ClinicalRequest:
    """What the client says, field by field, not yet believed.

    Raises: RequestRejectedError TOO_LARGE, or ENUM_UNKNOWN with every unknown number.
    """
    _refuse_too_many(message, limits)
    unknown: list[str] = []
    times = _Times()
    request = ClinicalRequest(
        request_id=message.request_id,
        pathway=message.pathway,
        subject_token=message.subject_token,
        encounter_token=message.encounter_token,
        as_of_time_s=unix_s(message.as_of_time) if message.HasField("as_of_time") else None,
        indication=_indication(message.indication, unknown),
        observations=tuple([_observation(index, each, unknown) for index, each in enumerate(message.observations)]),
        series=tuple([_series(index, each, times) for index, each in enumerate(message.series)]),
        minimum_tier=message.minimum_tier,
        urgency=_named(enumerations.URGENCIES, message.urgency, unknown, "urgency"),
        strict=message.strict,
        replay=message.replay,
        want_contributions=message.want_contributions,
        correlation_id=message.correlation_id,
    )
    if unknown:
        raise _unknown_enums(unknown)
    return request


def _refuse_too_many(message: AssessRiskRequest, limits: RequestLimits) -> None:
    # No message holds more values than bytes, so most need not be looked through.
    values = 0
    if message.ByteSize() > limits.series_values:
        values = sum(max(len(series.values), len(series.offsets_ms)) for series in message.series)
    counts = (
        ("observations", "maximum_observations", len(message.observations), limits.observations),
        ("series", "maximum_series", len(message.series), limits.series),
        ("series", "maximum_series_values", values, limits.series_values),
    )
    passed = [(field, name, limit) for field, name, count, limit in counts if count > limit]
    if passed:
        violations = tuple(
            FieldViolation(
                field=field,
                reason=RejectReason.TOO_LARGE,
                description=f"more than {name} = {limit}; send the last 48 hours",
            )
            for field, name, limit in passed
        )
        raise RequestRejectedError(
            reason=RejectReason.TOO_LARGE,
            violations=violations,
            limits={name: limit for _, name, limit in passed},
        )


def _named(table: Mapping[int, Member], number: int, unknown: list[str], *path: str) -> Member:
    """The member of that number, or any, with the field at `path` noted as unknown."""
    member = table.get(number)
    if member is not None:
        return member
    unknown.append(".".join(path))
    return table[0]


def _unknown_enums(fields: list[str]) -> RequestRejectedError:
    violations = tuple(
        FieldViolation(
            field=field,
            reason=RejectReason.ENUM_UNKNOWN,
            description="a number that this version of stepdown.api.v1 does not name",
        )
        for field in fields
    )
    return RequestRejectedError(reason=RejectReason.ENUM_UNKNOWN, violations=violations)


def _indication(message: observations_pb2.Indication, unknown: list[str]) -> Indication:
    return Indication(
        age_years=message.age_years if message.HasField("age_years") else None,
        sex=_named(enumerations.SEXES, message.sex, unknown, "indication.sex"),
        pregnancy=_named(enumerations.PREGNANCIES, message.pregnancy, unknown, "indication.pregnancy"),
        care_setting=_named(enumerations.CARE_SETTINGS, message.care_setting, unknown, "indication.care_setting"),
        spo2_scale=_named(enumerations.SPO2_SCALES, message.spo2_scale, unknown, "indication.spo2_scale"),
        spo2_scale_2_confirmed=message.spo2_scale_2_confirmed,
        suspected_infection=message.suspected_infection,
        spinal_cord_injury=message.spinal_cord_injury,
        treatment_limits=message.treatment_limits,
        hospital_admission_time_s=(
            unix_s(message.hospital_admission_time) if message.HasField("hospital_admission_time") else None
        ),
        icu_admission_time_s=unix_s(message.icu_admission_time) if message.HasField("icu_admission_time") else None,
        icu_unit=_named(enumerations.ICU_UNITS, message.icu_unit, unknown, "indication.icu_unit"),
    )


def _observation(index: int, message: observations_pb2.Observation, unknown: list[str]) -> Observation:
    """Fields that are seldom sent are asked for by their presence, the others by their value: that is the quicker way.

    A number or an instant of zero is told from one that was not sent by its presence.
    """
    field = f"observations[{index}]"
    value: float | None = message.value
    if not value and not message.HasField("value"):
        value = None
    return Observation(
        field=field,
        code_system=message.code_system,
        code=message.code,
        value=value,
        coded_value=message.coded_value,
        unit=message.unit,
        effective_time_s=unix_s(message.effective_time) if message.HasField("effective_time") else None,
        issued_time_s=unix_s(message.issued_time) if message.HasField("issued_time") else None,
        status=_named(enumerations.OBSERVATION_STATUSES, message.status, unknown, field, "status"),
        comparator=_named(enumerations.COMPARATORS, message.comparator, unknown, field, "comparator"),
        source=message.source,
        encounter_token=message.encounter_token,
        subject_token=message.subject_token,
        absent_reason=message.absent_reason,
        time_ambiguous=message.time_ambiguous,
    )


class _Times:
    """The instants of the series of one request; those that are the same are one and the same tuple."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[float, ...], tuple[float, ...]] = {}

    def of(self, message: observations_pb2.ObservationSeries) -> tuple[float, ...]:
        """When each value was measured; nothing without a base time."""
        base_s = unix_s(message.base_time)
        if not base_s and not message.HasField("base_time"):
            return ()
        key = (base_s, *message.offsets_ms[:])
        times_s = self._known.get(key)
        if times_s is None:
            times_s = self._known[key] = tuple([base_s + offset_ms / 1000 for offset_ms in key[1:]])
        return times_s


def _series(index: int, message: observations_pb2.ObservationSeries, times: _Times) -> ObservationSeries:
    """Without a base time no value has a time, and intake refuses the series as malformed."""
    return ObservationSeries(
        field=f"series[{index}]",
        code_system=message.code_system,
        code=message.code,
        unit=message.unit,
        times_s=times.of(message),
        values=tuple(message.values[:]),
        source=message.source,
    )
