"""The protocol's element types: one row per type that a model served here can take or give."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stepdown.api.oip import model_configuration_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Datatype:
    """One element type.

    `contents` is its field in `InferTensorContents`; empty where the protocol has none and only raw bytes will do.
    `configured` is its number in a model configuration.
    """

    name: str
    dtype: "np.dtype[np.generic]"
    contents: str
    configured: pb.DataType


def _row(name: str, code: str, contents: str, configured: pb.DataType) -> tuple[str, Datatype]:
    return name, Datatype(name=name, dtype=np.dtype(code), contents=contents, configured=configured)


DATATYPES: Mapping[str, Datatype] = dict(
    (
        _row("BOOL", "?", "bool_contents", pb.TYPE_BOOL),
        _row("UINT8", "<u1", "uint_contents", pb.TYPE_UINT8),
        _row("UINT16", "<u2", "uint_contents", pb.TYPE_UINT16),
        _row("UINT32", "<u4", "uint_contents", pb.TYPE_UINT32),
        _row("UINT64", "<u8", "uint64_contents", pb.TYPE_UINT64),
        _row("INT8", "<i1", "int_contents", pb.TYPE_INT8),
        _row("INT16", "<i2", "int_contents", pb.TYPE_INT16),
        _row("INT32", "<i4", "int_contents", pb.TYPE_INT32),
        _row("INT64", "<i8", "int64_contents", pb.TYPE_INT64),
        _row("FP16", "<f2", "", pb.TYPE_FP16),
        _row("FP32", "<f4", "fp32_contents", pb.TYPE_FP32),
        _row("FP64", "<f8", "fp64_contents", pb.TYPE_FP64),
    )
)
"""By the protocol's name. BYTES and BF16 are absent: a worker's slot holds elements of one fixed, known size."""
