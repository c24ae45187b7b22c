"""What a request says beside its tensors: how long it may take, how urgent it is, the lowest tier it accepts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.errors import FieldViolation
from stepdown.domain.reasons import RejectReason
from stepdown.domain.tiers import Urgency
from stepdown.transport.oip.models import ModelKind, ServedModel

TIMEOUT = "timeout"
PRIORITY = "priority"
MINIMUM_TIER = "minimum_tier"

URGENCIES = (Urgency.ROUTINE, Urgency.EMERGENCY, Urgency.URGENT, Urgency.ROUTINE)
"""By `priority`: 0 is the default, 1 the highest; there is nothing below 3."""

_US_PER_S = 1_000_000
_REFUSED: Mapping[str, str] = {
    "sequence_id": "models here keep no state between requests; leave sequences out",
    "sequence_start": "models here keep no state between requests; leave sequences out",
    "sequence_end": "models here keep no state between requests; leave sequences out",
    "shared_memory_region": "no memory is shared with clients; send the tensor in the request",
    "classification": "outputs are returned as they are; ask for the tensor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceLimits:
    """`timeout_s` is None when the request names none."""

    timeout_s: float | None = None
    urgency: Urgency = Urgency.ROUTINE
    minimum_tier: str = ""


def parse_parameters(
    request: pb.ModelInferRequest, model: ServedModel
) -> tuple[InferenceLimits, tuple[FieldViolation, ...]]:
    """The limits of one request, and everything wrong with them. Parameters that mean nothing here are ignored."""
    violations = [*refused_parameters(request.parameters, "parameters")]
    timeout_us = _number(request.parameters, TIMEOUT, violations)
    priority = _number(request.parameters, PRIORITY, violations)
    if priority is not None and priority >= len(URGENCIES):
        remedy = f"{PRIORITY} is 1 (first), 2 or 3, or 0 for the default"
        violations.append(_violation(f"parameters[{PRIORITY}]", remedy))
    if violations:
        return InferenceLimits(), tuple(violations)
    minimum_tier, violation = _minimum_tier(request, model)
    limits = InferenceLimits(
        timeout_s=timeout_us / _US_PER_S if timeout_us else None,
        urgency=URGENCIES[priority or 0],
        minimum_tier=minimum_tier,
    )
    return limits, violation


def urgency_of(request: pb.ModelInferRequest) -> Urgency:
    """As `priority` says; routine where it says nothing that can be understood."""
    priority = _number(request.parameters, PRIORITY, []) or 0
    return URGENCIES[priority] if priority < len(URGENCIES) else Urgency.ROUTINE


def refused_parameters(parameters: Mapping[str, pb.InferParameter], field: str) -> Iterator[FieldViolation]:
    """One violation for each parameter that would change the meaning of the answer and is not understood."""
    for name, remedy in _REFUSED.items():
        if name in parameters:
            yield _violation(f"{field}[{name}]", remedy)


def _number(parameters: Mapping[str, pb.InferParameter], name: str, violations: list[FieldViolation]) -> int | None:
    if name not in parameters:
        return None
    parameter = parameters[name]
    choice = parameter.WhichOneof("parameter_choice")
    if choice in {"int64_param", "uint64_param"}:
        number = int(getattr(parameter, choice))
        if number >= 0:
            return number
    violations.append(_violation(f"parameters[{name}]", f"send {name} as a whole number of at least 0"))
    return None


def _minimum_tier(request: pb.ModelInferRequest, model: ServedModel) -> tuple[str, tuple[FieldViolation, ...]]:
    if MINIMUM_TIER not in request.parameters:
        return "", ()
    field = f"parameters[{MINIMUM_TIER}]"
    if model.kind is not ModelKind.CHAIN:
        return "", (_violation(field, "this model is one tier already; leave it out"),)
    asked = request.parameters[MINIMUM_TIER].string_param
    if asked not in model.minimum_tiers:
        known = ", ".join(model.minimum_tiers)
        reason = RejectReason.TIER_UNKNOWN
        return "", (FieldViolation(field=field, reason=reason, description=f"{field}: send one of {known}"),)
    return asked, ()


def _violation(field: str, remedy: str) -> FieldViolation:
    return FieldViolation(field=field, reason=RejectReason.TENSOR_INVALID, description=f"{field}: {remedy}.")
