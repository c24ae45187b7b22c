"""Decides whether a request as a whole can be trusted, and collects all that speaks against it. Judges no value."""

from collections.abc import Iterator, Sequence
from math import isfinite

from stepdown.clinical.channels import CHANNELS, KNOWN_ANSWERS, find
from stepdown.clinical.policy import IntakePolicy
from stepdown.clinical.text_checks import code_violations, identifier_violations, token_violations
from stepdown.clinical.units import is_known_unit
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.intake import SPO2_SCALES
from stepdown.domain.observations import ClinicalRequest, Indication, Observation, ObservationSeries
from stepdown.domain.reasons import RejectReason

# What is said first when several things are wrong: what endangers a person's privacy or mixes patients up.
_PRECEDENCE = (
    RejectReason.TOO_LARGE,
    RejectReason.PHI_SUSPECTED,
    RejectReason.SUBJECT_MISMATCH,
    RejectReason.ID_REQUIRED,
    RejectReason.ID_FORMAT,
    RejectReason.AS_OF_REQUIRED,
    RejectReason.AS_OF_IN_FUTURE,
    RejectReason.AS_OF_TOO_OLD,
    RejectReason.AGE_REQUIRED,
    RejectReason.ENUM_UNKNOWN,
    RejectReason.SERIES_MALFORMED,
    RejectReason.VALUE_NOT_FINITE,
    RejectReason.STRICT_INPUT,
)
# An instant in 1970 or before is a clock that was never set or a field that was never filled in.
_END_OF_1970_S = 365 * 86_400.0
# The grid is float32: what float32 cannot hold as a normal number was not measured on a patient.
_SMALLEST, _LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127


def check_request(request: ClinicalRequest, *, received_time_s: float, policy: IntakePolicy) -> None:
    """Raise RequestRejectedError with every violation, if there is any.

    A request that is too large is refused for that, after its identifiers, before any of its observations is looked at.
    """
    violations = list(_identifiers(request, policy))
    limits = _sizes_passed(request, policy)
    if limits:
        too_large = "holds more than the server takes in one request: split it, or send a shorter history"
        violations += [
            FieldViolation(field=field, reason=RejectReason.TOO_LARGE, description=too_large) for field in limits
        ]
    else:
        violations += _times(request, received_time_s, policy)
        violations += _indication(request)
        for observation in request.observations:
            _check_observation(observation, request, policy, violations)
        for series in request.series:
            _check_series(series, policy, violations)
    if violations:
        raise rejection(tuple(violations), limits=limits)


def rejection(violations: tuple[FieldViolation, ...], *, limits: dict[str, int] | None = None) -> RequestRejectedError:
    """The error for these violations, led by the gravest reason."""
    leading = min((violation.reason for violation in violations), key=_PRECEDENCE.index)
    return RequestRejectedError(reason=leading, violations=violations, limits=limits or {})


def _identifiers(request: ClinicalRequest, policy: IntakePolicy) -> Iterator[FieldViolation]:
    maximum = policy.maximum_id_characters
    yield from identifier_violations("request_id", request.request_id, maximum=maximum, required=True)
    yield from token_violations("subject_token", request.subject_token, maximum=maximum)
    yield from token_violations("encounter_token", request.encounter_token, maximum=maximum)
    yield from identifier_violations("correlation_id", request.correlation_id, maximum=maximum)


def _sizes_passed(request: ClinicalRequest, policy: IntakePolicy) -> dict[str, int]:
    """Each limit that the request passes, by the field it limits."""
    sizes = (
        ("observations", len(request.observations), policy.maximum_observations),
        ("series", len(request.series), policy.maximum_series),
        ("series.values", sum(len(series.values) for series in request.series), policy.maximum_series_values),
        ("series.times", sum(len(series.times_s) for series in request.series), policy.maximum_series_values),
    )
    return {field: maximum for field, size, maximum in sizes if size > maximum}


def _times(request: ClinicalRequest, received_time_s: float, policy: IntakePolicy) -> Iterator[FieldViolation]:
    as_of_s, field = request.as_of_time_s, "as_of_time"
    if as_of_s is None or not as_of_s > _END_OF_1970_S:
        yield FieldViolation(
            field=field, reason=RejectReason.AS_OF_REQUIRED, description="required: the instant to assess, in UTC"
        )
    elif as_of_s > received_time_s + policy.as_of_future_tolerance_s:
        yield FieldViolation(
            field=field, reason=RejectReason.AS_OF_IN_FUTURE, description="later than this server's clock: check clocks"
        )
    elif received_time_s - as_of_s > policy.as_of_maximum_age_s and not request.replay:
        yield FieldViolation(
            field=field, reason=RejectReason.AS_OF_TOO_OLD, description="too long ago: set replay to assess the past"
        )


def _indication(request: ClinicalRequest) -> Iterator[FieldViolation]:
    indication = request.indication
    yield from _age(indication, request)
    if indication.spo2_scale not in SPO2_SCALES:
        yield FieldViolation(
            field="indication.spo2_scale", reason=RejectReason.ENUM_UNKNOWN, description="must be scale 1 or scale 2"
        )
    for name in ("hospital_admission_time_s", "icu_admission_time_s"):
        time_s = getattr(indication, name)
        if time_s is not None and not isfinite(time_s):
            yield _not_finite(f"indication.{name.removesuffix('_s')}")


def _age(indication: Indication, request: ClinicalRequest) -> Iterator[FieldViolation]:
    """Age decides which scores apply: it must be stated, here or as an observation."""
    age_years, field = indication.age_years, "indication.age_years"
    if age_years is None:
        if any(map(_names_age, request.observations)) or any(map(_names_age, request.series)):
            return
    elif not isfinite(age_years):
        yield _not_finite(field)
        return
    elif CHANNELS["Age"].hard.hold(age_years):
        return
    yield age_required()


def age_required() -> FieldViolation:
    """The violation of a request that does not say how old the patient is."""
    limits = CHANNELS["Age"].hard
    return FieldViolation(
        field="indication.age_years",
        reason=RejectReason.AGE_REQUIRED,
        description=f"required: age in years, from {limits.low:g} to {limits.high:g}",
    )


def _names_age(stated: Observation | ObservationSeries) -> bool:
    coded = find(stated.code_system, stated.code)
    return coded is not None and coded.channel.name == "Age"


def _check_observation(
    observation: Observation, request: ClinicalRequest, policy: IntakePolicy, violations: list[FieldViolation]
) -> None:
    """Add what speaks against one observation. Requests hold hundreds: no generator is made where there is nothing."""
    field = observation.field
    if observation.value is not None and not is_storable(observation.value):
        violations.append(_not_finite(f"{field}.value"))
    if observation.effective_time_s is not None and not isfinite(observation.effective_time_s):
        violations.append(_not_finite(f"{field}.effective_time"))
    if observation.issued_time_s is not None and not isfinite(observation.issued_time_s):
        violations.append(_not_finite(f"{field}.issued_time"))
    if observation.encounter_token and observation.encounter_token != request.encounter_token:
        violations.append(_mismatch(f"{field}.encounter_token"))
    if observation.subject_token and observation.subject_token != request.subject_token:
        violations.append(_mismatch(f"{field}.subject_token"))
    _check_texts(observation, policy, violations)
    if observation.absent_reason:
        violations += identifier_violations(
            f"{field}.absent_reason", observation.absent_reason, maximum=policy.maximum_id_characters
        )
    if observation.coded_value and observation.coded_value not in KNOWN_ANSWERS:
        violations += code_violations(f"{field}.coded_value", observation.coded_value)


def _check_texts(
    stated: Observation | ObservationSeries, policy: IntakePolicy, violations: list[FieldViolation]
) -> None:
    """Add what speaks against the texts that single and packed observations share."""
    if stated.source:
        violations += identifier_violations(
            f"{stated.field}.source", stated.source, maximum=policy.maximum_id_characters
        )
    if find(stated.code_system, stated.code) is None:
        violations += code_violations(f"{stated.field}.code", stated.code)
    if stated.unit and not is_known_unit(stated.unit):
        violations += code_violations(f"{stated.field}.unit", stated.unit)


def _check_series(series: ObservationSeries, policy: IntakePolicy, violations: list[FieldViolation]) -> None:
    """Add what speaks against one packed series."""
    times_s, values = series.times_s, series.values
    if len(times_s) != len(values):
        violations.append(
            FieldViolation(
                field=series.field, reason=RejectReason.SERIES_MALFORMED, description="needs as many times as values"
            )
        )
    if not all_storable(values):
        first = next(position for position, value in enumerate(values) if not is_storable(value))
        violations.append(_not_finite(f"{series.field}.values[{first}]"))
    if not isfinite(sum(times_s)):
        violations.append(_not_finite(f"{series.field}.times"))
    _check_texts(series, policy, violations)


def is_storable(value: float) -> bool:
    """Whether a number is zero, or a normal float32; NaN, infinities, denormals and overflows are none."""
    return value == 0 or _SMALLEST <= abs(value) <= _LARGEST


def all_storable(values: Sequence[float]) -> bool:
    """`is_storable` for every value: by the extremes alone where all are above zero, which is the usual case."""
    if not values or (min(values) >= _SMALLEST and max(values) <= _LARGEST and isfinite(sum(values))):
        return True
    return all(map(is_storable, values))


def _not_finite(field: str) -> FieldViolation:
    return FieldViolation(
        field=field, reason=RejectReason.VALUE_NOT_FINITE, description="must be a finite number; leave missing ones out"
    )


def _mismatch(field: str) -> FieldViolation:
    description = "belongs to another patient or stay than the request: nothing of it can be trusted"
    return FieldViolation(field=field, reason=RejectReason.SUBJECT_MISMATCH, description=description)
