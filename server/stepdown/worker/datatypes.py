"""Tensor datatypes: the name the Open Inference Protocol gives one, its NumPy twin, and its number in an ONNX file.

Refuses what has no fixed width on both sides (strings) and what NumPy cannot hold (bfloat16): such a tensor cannot lie
in a mailbox.
"""

import re
from dataclasses import dataclass
from math import prod

import numpy as np

from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason

_ONNX_CODES = {
    "FP32": 1,
    "UINT8": 2,
    "INT8": 3,
    "UINT16": 4,
    "INT16": 5,
    "INT32": 6,
    "INT64": 7,
    "BOOL": 9,
    "FP16": 10,
    "FP64": 11,
    "UINT32": 12,
    "UINT64": 13,
}
_NUMPY_NAMES = {"FP": "float", "UINT": "uint", "INT": "int", "BOOL": "bool"}


def _numpy_type(name: str) -> np.dtype[np.generic]:
    kind = name.rstrip("0123456789")
    return np.dtype(_NUMPY_NAMES[kind] + name[len(kind) :]).newbyteorder("<")


_NUMPY_TYPES = {name: _numpy_type(name) for name in _ONNX_CODES}
_ORT_NAMES = {"float": "FP32", "double": "FP64", "float16": "FP16", "bfloat16": "BF16", "string": "BYTES"}


def onnx_code(datatype: str) -> int:
    """`TensorProto.DataType` of a datatype. Raises: KeyError for one that is not carried."""
    return _ONNX_CODES[datatype]


def datatype_of_ort_type(ort_type: str) -> str:
    """The datatype of a type as ONNX Runtime writes it: `tensor(float)` is FP32; what is no tensor keeps its name."""
    tensor = re.fullmatch(r"tensor\((\w+)\)", ort_type)
    return ort_type if tensor is None else _ORT_NAMES.get(tensor[1], tensor[1].upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFormat:
    """How the rows of one graph input or output lie in memory: C order, little-endian, `row_bytes` apart."""

    name: str
    dtype: np.dtype[np.generic]
    row_shape: tuple[int, ...]
    row_bytes: int


def tensor_format(spec: TensorSpec) -> TensorFormat:
    """The format of a tensor whose first dimension is the batch and whose others are fixed.

    Raises:
        WorkerError: EXECUTION_FAILED when its rows have no fixed number of bytes.
    """
    row_shape = spec.shape[1:]
    if not spec.shape or spec.shape[0] != -1 or any(size < 1 for size in row_shape):
        raise WorkerError(
            reason=Reason.EXECUTION_FAILED,
            detail=f"tensor {spec.name}: shape {list(spec.shape)}; the first dimension alone, the batch, may vary (-1)",
        )
    dtype = _NUMPY_TYPES.get(spec.datatype)
    if dtype is None:
        raise WorkerError(
            reason=Reason.EXECUTION_FAILED,
            detail=f"tensor {spec.name}: datatype {spec.datatype}; carried are {', '.join(_NUMPY_TYPES)}",
        )
    return TensorFormat(name=spec.name, dtype=dtype, row_shape=row_shape, row_bytes=prod(row_shape) * dtype.itemsize)
