"""The mailbox of one worker: two slots of shared memory, each with a head, the rows of every input and of every output.

Both sides compute the same layout from the manifest and check the head against it, so neither can lead the other out
of bounds. The memory is a memfd that can neither shrink nor grow: a worker cannot pull it from under the server.
Outputs are copied out before anyone looks at them, because the worker could still write. Refuses rows it has no room
for.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import Buffer
from stepdown.worker.datatypes import TensorFormat

SLOTS = 2
_ALIGNMENT = 64  # a cache line, and what vector instructions like
_HEAD = struct.Struct("<QIIQQ")  # sequence, operation, rows, bytes of inputs, bytes of outputs
_REQUEST = 1
_REPLY = 2
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything lies. Offsets are from the start of a slot; all sizes in bytes."""

    inputs: tuple[TensorFormat, ...]
    outputs: tuple[TensorFormat, ...]
    maximum_rows: int
    input_offsets: tuple[int, ...]
    output_offsets: tuple[int, ...]
    slot_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both slots."""
        return SLOTS * self.slot_bytes


def layout(inputs: Sequence[TensorFormat], outputs: Sequence[TensorFormat], *, maximum_rows: int) -> Layout:
    """The layout of a mailbox for batches of at most `maximum_rows` rows."""
    offsets, end = [], _aligned(_HEAD.size)
    for tensor in (*inputs, *outputs):
        offsets.append(end)
        end = _aligned(end + maximum_rows * tensor.row_bytes)
    return Layout(
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        maximum_rows=maximum_rows,
        input_offsets=tuple(offsets[: len(inputs)]),
        output_offsets=tuple(offsets[len(inputs) :]),
        slot_bytes=-(-end // mmap.PAGESIZE) * mmap.PAGESIZE,
    )


def create_memory(size: int) -> int:
    """A descriptor of `size` bytes of shared, zeroed memory whose size nobody can change. The caller closes it."""
    descriptor = os.memfd_create("stepdown-mailbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class _Area(NamedTuple):
    """One tensor's place in one slot."""

    start: int
    row_bytes: int
    rows: np.ndarray


class Mailbox:
    """One side's view of the shared memory. Not locked: a slot is one side's at a time; the doorbell passes it on."""

    def __init__(self, descriptor: int, plan: Layout) -> None:
        """Map the memory behind `descriptor`, which may be closed afterwards. Raises: OSError, ValueError."""
        self.layout = plan
        self._memory = memoryview(mmap.mmap(descriptor, plan.total_bytes))
        self._inputs = tuple(self._areas(slot, plan.inputs, plan.input_offsets) for slot in range(SLOTS))
        self._outputs = tuple(self._areas(slot, plan.outputs, plan.output_offsets) for slot in range(SLOTS))
        self._input_row_bytes = sum(tensor.row_bytes for tensor in plan.inputs)
        self._output_row_bytes = sum(tensor.row_bytes for tensor in plan.outputs)

    def write_request(self, slot: int, *, sequence: int, rows: int, tensors: Sequence[Sequence[Buffer]]) -> None:
        """Server: put a batch into a slot.

        Args:
            slot: 0 or 1, and not in use.
            sequence: the number the reply must bear.
            rows: rows of the whole batch.
            tensors: per graph input, the buffers of its requests in order; together exactly `rows` rows.

        Raises:
            WorkerError: INTERNAL_FAULT when the rows or bytes do not fit.
        """
        self._check_rows(rows)
        for area, buffers in zip(self._inputs[slot], tensors, strict=True):
            joined = b"".join(buffers)
            if len(joined) != rows * area.row_bytes:
                raise _wrong(f"{len(joined)} bytes for {rows} rows of {area.row_bytes}")
            self._memory[area.start : area.start + len(joined)] = joined
        self._write_head(slot, sequence, _REQUEST, rows)

    def request(self, slot: int, *, sequence: int, rows: int, shown_rows: int = 0) -> tuple[np.ndarray, ...]:
        """Worker: views of a batch's inputs, in manifest order; `shown_rows`, if more, adds rows of no meaning.

        Raises:
            WorkerError: INTERNAL_FAULT when the head says otherwise.
        """
        self._check_rows(rows)
        self._check_head(slot, sequence, _REQUEST, rows)
        shown = max(rows, shown_rows)
        return tuple(area.rows[:shown] for area in self._inputs[slot])

    def write_reply(self, slot: int, *, sequence: int, rows: int, outputs: Sequence[np.ndarray]) -> None:
        """Worker: put the outputs of a batch into its slot.

        Raises:
            WorkerError: EXECUTION_FAILED when the model returned another type or shape than the manifest promises.
        """
        for area, output, tensor in zip(self._outputs[slot], outputs, self.layout.outputs, strict=True):
            if output.dtype != tensor.dtype or output.shape != (rows, *tensor.row_shape):
                raise WorkerError(
                    reason=Reason.EXECUTION_FAILED,
                    detail=f"output {tensor.name} is {output.dtype} of another shape than the manifest says",
                )
            area.rows[:rows] = output
        self._write_head(slot, sequence, _REPLY, rows)

    def reply(self, slot: int, *, sequence: int, rows: int) -> tuple[bytes, ...]:
        """Server: a copy of a batch's outputs, in manifest order. Raises: WorkerError when the head says otherwise."""
        self._check_head(slot, sequence, _REPLY, rows)
        return tuple(
            self._memory[area.start : area.start + rows * area.row_bytes].tobytes() for area in self._outputs[slot]
        )

    def _areas(self, slot: int, tensors: Sequence[TensorFormat], offsets: Sequence[int]) -> tuple[_Area, ...]:
        areas = []
        for tensor, offset in zip(tensors, offsets, strict=True):
            start = slot * self.layout.slot_bytes + offset
            count = self.layout.maximum_rows * tensor.row_bytes // tensor.dtype.itemsize
            flat = np.frombuffer(self._memory, dtype=tensor.dtype, count=count, offset=start)
            rows = flat.reshape(self.layout.maximum_rows, *tensor.row_shape)
            areas.append(_Area(start, tensor.row_bytes, rows))
        return tuple(areas)

    def _write_head(self, slot: int, sequence: int, operation: int, rows: int) -> None:
        head = (sequence, operation, rows, rows * self._input_row_bytes, rows * self._output_row_bytes)
        _HEAD.pack_into(self._memory, slot * self.layout.slot_bytes, *head)

    def _check_head(self, slot: int, sequence: int, operation: int, rows: int) -> None:
        head = _HEAD.unpack_from(self._memory, slot * self.layout.slot_bytes)
        if head != (sequence, operation, rows, rows * self._input_row_bytes, rows * self._output_row_bytes):
            raise _wrong(f"slot {slot} does not hold what the doorbell announced")

    def _check_rows(self, rows: int) -> None:
        if not 1 <= rows <= self.layout.maximum_rows:
            raise _wrong(f"{rows} rows; a slot holds 1 to {self.layout.maximum_rows}")


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def _wrong(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"mailbox: {detail}")
