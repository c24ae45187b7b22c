"""Raw tensors on their way to and from a worker. Bytes only: whoever needs numbers decodes them at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stepdown.domain.reasons import Reason

Buffer: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRows:
    """One request's model input: `rows` rows; one C-ordered little-endian buffer per graph input, in manifest order."""

    rows: int
    tensors: tuple[Buffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsResult:
    """What a worker made of one request of a batch.

    Either `outputs` (name -> C-ordered little-endian bytes of this request's rows) or a `reason` it may not be used:
    OUTPUT_INVALID (not finite or outside the manifest's range) or INPUT_UNSUITABLE (the graph's own input checks).
    """

    outputs: Mapping[str, bytes] | None
    reason: Reason | None = None
    detail: str = ""
