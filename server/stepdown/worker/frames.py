"""What goes through the doorbell: fixed-size binary frames for batches, short JSON after the same head for the rest.

Read on both sides. Refuses to believe a length, an operation or a type that the other side wrote: whatever does not
parse is a `WorkerError`, whoever sent it.
"""

import json
import struct
from enum import IntEnum
from typing import Any, NamedTuple

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason

HEAD = struct.Struct("<QQIHH")
"""sequence, value (nanoseconds of compute, or bytes of JSON that follow), rows, slot, operation."""

MAXIMUM_JSON_BYTES = 16_384
RECEIVE_BYTES = HEAD.size + MAXIMUM_JSON_BYTES + 1
"""A receive buffer of this size holds every lawful frame, and shows a longer one by being full."""


class Operation(IntEnum):
    """What a frame means. RUN and DRILL go to the worker, everything else comes from it."""

    RUN = 1
    DONE = 2
    READY = 3
    REFUSED = 4
    FAILED = 5
    DRILL = 6


_WITH_JSON = frozenset({Operation.READY, Operation.REFUSED, Operation.FAILED, Operation.DRILL})
_OPERATIONS = {int(operation): operation for operation in Operation}


class Frame(NamedTuple):
    """One frame, checked. `body` is empty for RUN and DONE; `compute_ns` is zero for the others."""

    operation: Operation
    sequence: int
    rows: int
    slot: int
    compute_ns: int
    body: dict[str, Any]


def batch_frame(operation: Operation, *, sequence: int, rows: int, slot: int, compute_ns: int = 0) -> bytes:
    """A RUN or DONE frame."""
    return HEAD.pack(sequence, compute_ns, rows, slot, operation)


def json_frame(operation: Operation, body: dict[str, Any], *, sequence: int = 0, slot: int = 0) -> bytes:
    """A READY, REFUSED, FAILED or DRILL frame. Raises: WorkerError when the body is longer than a frame may be."""
    text = json.dumps(body, separators=(",", ":")).encode()
    if len(text) > MAXIMUM_JSON_BYTES:
        raise _malformed(f"{operation.name} frame of {len(text)} bytes")
    return HEAD.pack(sequence, len(text), 0, slot, operation) + text


def parse_frame(received: memoryview) -> Frame:
    """The frame in exactly these bytes. Raises: WorkerError when they are not one."""
    if len(received) < HEAD.size:
        raise _malformed(f"frame of {len(received)} bytes")
    sequence, value, rows, slot, number = HEAD.unpack_from(received)
    operation = _OPERATIONS.get(number)
    if operation is None:
        raise _malformed(f"frame with operation {number}")
    length = len(received) - HEAD.size
    if operation not in _WITH_JSON:
        if length:
            raise _malformed(f"{operation.name} frame with {length} bytes too many")
        return Frame(operation, sequence, rows, slot, value, {})
    if value != length or length > MAXIMUM_JSON_BYTES:
        raise _malformed(f"{operation.name} frame that promises {value} bytes and holds {length}")
    return Frame(operation, sequence, rows, slot, 0, _parse_body(bytes(received[HEAD.size :]), operation))


def _parse_body(text: bytes, operation: Operation) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"{operation.name} frame without JSON") from error
    if not isinstance(body, dict):
        raise _malformed(f"{operation.name} frame without an object")
    return body


def _malformed(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"doorbell: {detail}")
