"""Whether a batch's outputs may be used, judged once per batch on this side of the mailbox.

Every output of a floating type must be finite; where the manifest bounds one it must lie inside; where the graph
checks its own inputs, a check at or above `refuse_at` makes the input unsuitable for this tier. Refuses to repair a
value, and to say what it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stepdown.domain.bundles import ModelSpec, TensorSpec
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.worker.datatypes import TensorFormat, tensor_format


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """One output: how it lies, where its numbers must lie, and whether it is the input checks."""

    tensor: TensorFormat
    labels: tuple[str, ...]
    floating: bool
    minimum: float
    maximum: float
    refuse_at: float | None


class OutputValidator:
    """Turns the raw outputs of a batch into one result per request."""

    def __init__(self, model: ModelSpec) -> None:
        """Read the bounds from a verified manifest. Raises: WorkerError when an output has no fixed row size."""
        self._bounds = tuple(_bounds(spec, model) for spec in model.outputs)
        self._names = tuple(bounds.tensor.name for bounds in self._bounds)

    def results(self, outputs: Sequence[bytes], counts: Sequence[int]) -> tuple[RowsResult, ...]:
        """One result per request, in order.

        Args:
            outputs: per graph output, in manifest order, the rows of the whole batch.
            counts: rows of each request.
        """
        faults = [
            fault
            for bounds, raw in zip(self._bounds, outputs, strict=True)
            if (fault := _fault(bounds, raw)) is not None
        ]
        sliced = self._sliced(outputs, counts)
        if not faults:
            return tuple(RowsResult(outputs=tensors) for tensors in sliced)
        results, start = [], 0
        for tensors, count in zip(sliced, counts, strict=True):
            results.append(_judged(tensors, faults, slice(start, start + count)))
            start += count
        return tuple(results)

    def _sliced(self, outputs: Sequence[bytes], counts: Sequence[int]) -> list[dict[str, bytes]]:
        """The outputs of each request by name. Written for one row per request, of which there are many at once."""
        if len(counts) == 1:
            return [dict(zip(self._names, outputs, strict=True))]
        columns = [
            _cut(raw, bounds.tensor.row_bytes, counts) for raw, bounds in zip(outputs, self._bounds, strict=True)
        ]
        names = self._names
        return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cut(raw: bytes, row_bytes: int, counts: Sequence[int]) -> list[bytes]:
    """The rows of each request out of those of the batch."""
    if min(counts) == max(counts) == 1:
        return [raw[start : start + row_bytes] for start in range(0, len(raw), row_bytes)]
    cells, start = [], 0
    for count in counts:
        stop = start + count * row_bytes
        cells.append(raw[start:stop])
        start = stop
    return cells


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """What is wrong with one output of a batch, row by row."""

    invalid_rows: np.ndarray
    unsuitable: np.ndarray | None
    bounds: _Bounds


def _bounds(spec: TensorSpec, model: ModelSpec) -> _Bounds:
    tensor = tensor_format(spec)
    checks = model.input_checks
    return _Bounds(
        tensor=tensor,
        labels=spec.labels,
        floating=tensor.dtype.kind == "f",
        minimum=-np.inf if spec.minimum is None else spec.minimum,
        maximum=np.inf if spec.maximum is None else spec.maximum,
        refuse_at=checks.refuse_at if checks is not None and checks.output == spec.name else None,
    )


def _fault(bounds: _Bounds, raw: bytes) -> _Fault | None:
    """None for the usual case, found with two reductions: a NaN makes either comparison false."""
    values = np.frombuffer(raw, bounds.tensor.dtype)
    lowest, highest = float(np.minimum.reduce(values)), float(np.maximum.reduce(values))
    inside = bounds.minimum <= lowest and highest <= bounds.maximum
    finite = not bounds.floating or (-np.inf < lowest and highest < np.inf)
    if inside and finite and (bounds.refuse_at is None or highest < bounds.refuse_at):
        return None
    rows = values.reshape(len(raw) // bounds.tensor.row_bytes, -1)
    good: np.ndarray = (rows >= bounds.minimum) & (rows <= bounds.maximum) & np.isfinite(rows)
    unsuitable = None if bounds.refuse_at is None else good & (rows >= bounds.refuse_at)
    return _Fault(invalid_rows=np.logical_not(good.all(axis=1)), unsuitable=unsuitable, bounds=bounds)


def _judged(tensors: dict[str, bytes], faults: Sequence[_Fault], rows: slice) -> RowsResult:
    for fault in faults:
        invalid = int(np.count_nonzero(fault.invalid_rows[rows]))
        if invalid:
            detail = f"output {fault.bounds.tensor.name}: {_wanted(fault.bounds)} in {invalid} row(s)"
            return RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail=detail)
    for fault in faults:
        if fault.unsuitable is not None and fault.unsuitable[rows].any():
            found = np.flatnonzero(fault.unsuitable[rows].any(axis=0))
            names = ", ".join(_label(fault.bounds, int(index)) for index in found)
            return RowsResult(outputs=None, reason=Reason.INPUT_UNSUITABLE, detail=f"input checks: {names}")
    return RowsResult(outputs=tensors)


def _wanted(bounds: _Bounds) -> str:
    if np.isinf(bounds.minimum) and np.isinf(bounds.maximum):
        return "not finite"
    return f"not a number of {bounds.minimum:g} to {bounds.maximum:g}"


def _label(bounds: _Bounds, index: int) -> str:
    return bounds.labels[index] if index < len(bounds.labels) else f"check {index}"
