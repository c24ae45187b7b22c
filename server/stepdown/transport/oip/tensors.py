"""One tensor's elements, from the wire to the bytes that a worker reads and back. Refuses to quote a value."""

from math import prod

import numpy as np

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import StepdownError
from stepdown.domain.reasons import RejectReason
from stepdown.transport.oip.datatypes import DATATYPES, Datatype

_NOT_A_BOOL = bytes(range(2, 256))


class TensorError(StepdownError):
    """What is wrong with one tensor, in which part of it, and how to mend it. Becomes one violation of the request."""

    def __init__(self, *, part: str, remedy: str, reason: RejectReason = RejectReason.TENSOR_INVALID) -> None:
        """Name the part (`datatype`, `shape` or `contents`) and the remedy, without quoting the client."""
        super().__init__(remedy)
        self.part = part
        self.remedy = remedy
        self.reason = reason


def checked_rows(tensor: pb.ModelInferRequest.InferInputTensor, spec: TensorSpec, *, limit: int) -> int:
    """The number of rows, when datatype and shape are what the model takes. Raises TensorError."""
    if tensor.datatype != spec.datatype:
        raise TensorError(part="datatype", remedy=f"send {spec.name} as {spec.datatype}")
    row = spec.shape[1:]
    if len(tensor.shape) != len(spec.shape) or tuple(tensor.shape[1:]) != row:
        wanted = ",".join(("rows", *map(str, row)))
        raise TensorError(part="shape", remedy=f"send {spec.name} with shape [{wanted}]")
    rows = tensor.shape[0]
    if not 1 <= rows <= limit:
        raise TensorError(part="shape", remedy=f"send from 1 to {limit} rows in one request; split larger batches")
    return rows


def raw_bytes(raw: bytes, spec: TensorSpec, *, rows: int) -> bytes:
    """The buffer as it came, when its size and its truth values are right. Raises TensorError."""
    datatype = DATATYPES[spec.datatype]
    expected = rows * prod(spec.shape[1:]) * datatype.dtype.itemsize
    if len(raw) != expected:
        remedy = f"{spec.name} has {len(raw)} bytes where its shape and datatype make {expected}; send exactly those"
        raise TensorError(part="contents", remedy=remedy)
    if datatype.name == "BOOL" and len(raw.translate(None, _NOT_A_BOOL)) != len(raw):
        raise TensorError(part="contents", remedy=f"{spec.name} is BOOL: send only the bytes 0 and 1")
    return raw


def typed_bytes(contents: pb.InferTensorContents, spec: TensorSpec, *, rows: int) -> bytes:
    """The elements of the field that belongs to the datatype, as a buffer. Raises TensorError."""
    datatype = DATATYPES[spec.datatype]
    if not datatype.contents:
        remedy = f"{spec.name} is {datatype.name}, which has no typed form; send raw_input_contents"
        raise TensorError(part="contents", remedy=remedy)
    if any(field.name != datatype.contents for field, _ in contents.ListFields()):
        remedy = f"{spec.name} is {datatype.name}; fill {datatype.contents} and no other field"
        raise TensorError(part="contents", remedy=remedy)
    elements = getattr(contents, datatype.contents)
    expected = rows * prod(spec.shape[1:])
    if len(elements) != expected:
        remedy = f"{spec.name} has {len(elements)} elements where its shape makes {expected}; send exactly those"
        raise TensorError(part="contents", remedy=remedy)
    return _narrowed(elements, datatype, spec.name)


def refuse_infinities(buffer: bytes, spec: TensorSpec) -> None:
    """A measurement is finite or missing (NaN). Raises TensorError."""
    dtype = DATATYPES[spec.datatype].dtype
    if dtype.kind == "f" and bool(np.isinf(np.frombuffer(buffer, dtype)).any()):
        remedy = f"{spec.name} holds an infinite value; send NaN where a value is missing"
        raise TensorError(part="contents", remedy=remedy, reason=RejectReason.VALUE_NOT_FINITE)


def put_typed(contents: pb.InferTensorContents, buffer: bytes, spec: TensorSpec) -> None:
    """Fill the field that belongs to the datatype from a buffer."""
    datatype = DATATYPES[spec.datatype]
    getattr(contents, datatype.contents).extend(np.frombuffer(buffer, datatype.dtype).tolist())


def _narrowed(elements: list[int] | list[float], datatype: Datatype, name: str) -> bytes:
    dtype = datatype.dtype
    if dtype.kind not in "iu":
        return np.array(elements, dtype).tobytes()
    limits = np.iinfo(dtype.str)
    if elements and not limits.min <= min(elements) <= max(elements) <= limits.max:
        remedy = f"{name} holds a number outside {limits.min} to {limits.max}, the range of {datatype.name}"
        raise TensorError(part="contents", remedy=remedy)
    return np.array(elements, dtype).tobytes()
