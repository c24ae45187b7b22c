"""An outcome as a `ModelInferResponse`: the tensors, and in `parameters` who answered and why nobody better did."""

import json
from collections.abc import Mapping
from math import prod

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.assessments import Degradation, TierIdentity
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.reasons import Reason
from stepdown.transport.oip.datatypes import DATATYPES
from stepdown.transport.oip.requests import Inference
from stepdown.transport.oip.tensors import put_typed


def encode(inference: Inference, outcome: Outcome) -> pb.ModelInferResponse:
    """The answer. Raises NoAnswerError when there is none, ValueError when an output is not as its bundle declares."""
    if outcome.answered_by is None or outcome.result is None or outcome.result.outputs is None:
        raise NoAnswerError(reason=outcome.failure or Reason.INTERNAL_FAULT, detail=outcome.failure_detail)
    response = pb.ModelInferResponse(
        model_name=inference.model.name, model_version=inference.model.version, id=inference.request_id
    )
    _put_tensors(response, inference, outcome.answered_by.tier, outcome.result.outputs)
    _put_parameters(response, outcome.answered_by, outcome.degradations)
    return response


def _put_tensors(
    response: pb.ModelInferResponse, inference: Inference, tier: str, outputs: Mapping[str, bytes]
) -> None:
    rows = inference.payload.rows
    # As the protocol has it, all outputs come in one form; FP16 has no other than the raw one.
    typed = inference.typed and all(DATATYPES[spec.datatype].contents for spec in inference.outputs)
    declared = inference.model.tier_outputs[tier]
    for spec in inference.outputs:
        buffer = _checked(outputs[spec.name], declared[spec.name], rows)
        tensor = response.outputs.add(name=spec.name, datatype=spec.datatype, shape=(rows, *spec.shape[1:]))
        if typed:
            put_typed(tensor.contents, buffer, spec)
        else:
            response.raw_output_contents.append(buffer)


def _checked(buffer: bytes, spec: TensorSpec, rows: int) -> bytes:
    expected = rows * prod(spec.shape[1:]) * DATATYPES[spec.datatype].dtype.itemsize
    if len(buffer) != expected:
        raise ValueError(f"output {spec.name}: {len(buffer)} bytes instead of {expected}")
    return buffer


def _put_parameters(response: pb.ModelInferResponse, by: TierIdentity, degradations: tuple[Degradation, ...]) -> None:
    texts = {
        "pathway": by.pathway,
        "tier": by.tier,
        "execution_provider": by.execution_provider.value,
        "device": by.device,
        "bundle": by.bundle.name,
        "bundle_version": by.bundle.version,
        "digest": f"sha256:{by.bundle.sha256}",
        "signer": ",".join(by.bundle.signers),
        "reasons": ",".join(step.reason.value for step in degradations),
        "degradations": json.dumps([_step(step) for step in degradations]),
    }
    for name, text in texts.items():
        response.parameters[name].string_param = text
    response.parameters["degraded"].bool_param = bool(degradations)


def _step(step: Degradation) -> dict[str, str]:
    return {"tier": step.tier, "reason": step.reason.value, "detail": step.detail}
