"""A `ModelInferRequest` as the rows a worker takes. Everything wrong with it is found at once, with its remedy.

Refuses to quote what the client wrote: a name or a number can be a patient's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.domain.tensors import TensorRows
from stepdown.transport.oip.models import ServedModel, TensorInterface
from stepdown.transport.oip.parameters import InferenceLimits, parse_parameters, refused_parameters
from stepdown.transport.oip.tensors import TensorError, checked_rows, raw_bytes, refuse_infinities, typed_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """One request understood.

    `outputs` are the wanted ones in the order asked; `typed`: elements came in `contents`, and so shall the answer's.
    """

    model: ServedModel
    payload: TensorRows
    outputs: tuple[TensorSpec, ...]
    limits: InferenceLimits
    typed: bool
    request_id: str


def decode(request: pb.ModelInferRequest, *, model: ServedModel, interface: TensorInterface) -> Inference:
    """Understand one request for a model. Raises RequestRejectedError with every violation found."""
    limits, found = parse_parameters(request, model)
    violations = list(found)
    outputs = _wanted_outputs(request, interface.outputs, violations)
    payload = _payload(request, interface, violations, clinical=model.clinical)
    if violations:
        raise RequestRejectedError(
            reason=violations[0].reason,
            violations=tuple(violations),
            limits={"maximum_batch": interface.maximum_batch},
        )
    return Inference(
        model=model,
        payload=payload,
        outputs=outputs,
        limits=limits,
        typed=not request.raw_input_contents,
        request_id=request.id,
    )


def _wanted_outputs(
    request: pb.ModelInferRequest, known: Sequence[TensorSpec], violations: list[FieldViolation]
) -> tuple[TensorSpec, ...]:
    by_name = {spec.name: spec for spec in known}
    wanted: dict[str, TensorSpec] = {}
    for index, output in enumerate(request.outputs):
        field = f"outputs[{index}]"
        violations.extend(refused_parameters(output.parameters, f"{field}.parameters"))
        spec = by_name.get(output.name)
        if spec is None:
            violations.append(_violation(f"{field}.name", f"ask for {_names(known)}, or for none to get all"))
        elif spec.name in wanted:
            violations.append(_violation(f"{field}.name", f"{spec.name} is asked for twice; ask once"))
        else:
            wanted[spec.name] = spec
    return tuple(wanted.values()) or tuple(known)


def _payload(
    request: pb.ModelInferRequest, interface: TensorInterface, violations: list[FieldViolation], *, clinical: bool
) -> TensorRows:
    places = _places(request, interface.inputs, violations)
    raw = _is_raw(request, violations)
    rows: set[int] = set()
    buffers = []
    for spec in interface.inputs:
        index = places.get(spec.name)
        if index is None or raw is None:
            continue
        tensor = request.inputs[index]
        try:
            count = checked_rows(tensor, spec, limit=interface.maximum_batch)
            rows.add(count)
            if raw:
                buffer = raw_bytes(request.raw_input_contents[index], spec, rows=count)
            else:
                buffer = typed_bytes(tensor.contents, spec, rows=count)
            if clinical:
                refuse_infinities(buffer, spec)
            buffers.append(buffer)
        except TensorError as error:
            violations.append(_of_tensor(error, index, raw=raw))
    if len(rows) > 1:
        violations.append(_violation("inputs", "send the same number of rows in every input"))
    return TensorRows(rows=max(rows, default=0), tensors=tuple(buffers))


def _places(
    request: pb.ModelInferRequest, known: Sequence[TensorSpec], violations: list[FieldViolation]
) -> dict[str, int]:
    """Where each known input stands in the request, which may order them as it likes."""
    names = {spec.name for spec in known}
    places: dict[str, int] = {}
    for index, tensor in enumerate(request.inputs):
        violations.extend(refused_parameters(tensor.parameters, f"inputs[{index}].parameters"))
        if tensor.name not in names:
            violations.append(_violation(f"inputs[{index}].name", f"this model takes {_names(known)}; send those"))
        elif tensor.name in places:
            violations.append(_violation(f"inputs[{index}].name", f"{tensor.name} is sent twice; send it once"))
        else:
            places[tensor.name] = index
    missing = tuple(spec for spec in known if spec.name not in places)
    if missing:
        violations.append(_violation("inputs", f"send {_names(missing)} as well"))
    return places


def _is_raw(request: pb.ModelInferRequest, violations: list[FieldViolation]) -> bool | None:
    """Whether the elements are in `raw_input_contents`; None when that cannot be told."""
    if not request.raw_input_contents:
        return False
    if any(tensor.HasField("contents") for tensor in request.inputs):
        remedy = "send either raw_input_contents or the contents of each input, never both"
        violations.append(_violation("raw_input_contents", remedy))
        return None
    if len(request.raw_input_contents) != len(request.inputs):
        remedy = f"send one buffer per input: {len(request.inputs)} instead of {len(request.raw_input_contents)}"
        violations.append(_violation("raw_input_contents", remedy))
        return None
    return True


def _of_tensor(error: TensorError, index: int, *, raw: bool) -> FieldViolation:
    in_raw = raw and error.part == "contents"
    field = f"raw_input_contents[{index}]" if in_raw else f"inputs[{index}].{error.part}"
    return FieldViolation(field=field, reason=error.reason, description=f"{field}: {error.remedy}.")


def _names(tensors: Sequence[TensorSpec]) -> str:
    return ", ".join(tensor.name for tensor in tensors)


def _violation(field: str, remedy: str) -> FieldViolation:
    return FieldViolation(field=field, reason=RejectReason.TENSOR_INVALID, description=f"{field}: {remedy}.")
