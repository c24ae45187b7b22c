"""Requests as clients write them, and the models they address."""

from collections.abc import Mapping

import numpy as np

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.errors import RequestRejectedError
from stepdown.transport.oip.models import ServedModel, served_models
from stepdown.transport.oip.requests import Inference, decode
from tests.fakes.open_inference import DATATYPES, ECHO, ECHO_COLUMNS, tensor_roster
from tests.fakes.statuses import PATHWAY

MODELS: Mapping[str, ServedModel] = served_models(tensor_roster())
NUMPY: Mapping[str, str] = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}


def sepsis_request(cells: np.ndarray, *, model: str = PATHWAY, **fields: object) -> pb.ModelInferRequest:
    """A grid, sent raw."""
    tensor = pb.ModelInferRequest.InferInputTensor(name="observations", datatype="FP32", shape=cells.shape)
    request = pb.ModelInferRequest(model_name=model, inputs=[tensor], **fields)  # type: ignore[arg-type]
    request.raw_input_contents.append(cells.astype("<f4").tobytes())
    return request


def columns(datatype: str, *, rows: int = 2) -> np.ndarray:
    """Values at both ends of a datatype's range, told apart by their place."""
    dtype = np.dtype(NUMPY[datatype])
    values = np.zeros((rows, ECHO_COLUMNS), dtype)
    if dtype.kind == "b":
        values[0, 1] = True
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype.str)
        values[0], values[-1, -1] = (limits.min, 1, 2), limits.max
    else:
        values[0], values[-1, -1] = (-1.5, np.nan, 2.25), np.inf
    return values


def echo_request(*, rows: int = 2) -> pb.ModelInferRequest:
    """Every datatype, sent raw."""
    request = pb.ModelInferRequest(model_name=ECHO)
    for datatype in DATATYPES:
        request.inputs.add(name=f"in_{datatype}", datatype=datatype, shape=(rows, ECHO_COLUMNS))
        request.raw_input_contents.append(columns(datatype, rows=rows).tobytes())
    return request


def typed(request: pb.ModelInferRequest) -> pb.ModelInferRequest:
    """The same request with its elements in `contents`."""
    for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True):
        elements = np.frombuffer(raw, NUMPY[tensor.datatype]).tolist()
        getattr(tensor.contents, CONTENTS[tensor.datatype]).extend(elements)
    del request.raw_input_contents[:]
    return request


def decoded(request: pb.ModelInferRequest) -> Inference:
    """What the server makes of it."""
    model = MODELS[request.model_name]
    assert model.interface is not None
    return decode(request, model=model, interface=model.interface)


def refusal(request: pb.ModelInferRequest) -> RequestRejectedError:
    """Why the server refuses it."""
    try:
        decoded(request)
    except RequestRejectedError as error:
        return error
    raise AssertionError("the request was accepted")


def refused_fields(request: pb.ModelInferRequest) -> list[str]:
    """Which fields the server complains of."""
    return [violation.field for violation in refusal(request).violations]
