"""What a model file takes and gives, in the words of a manifest, and known answers for it: `bundle init` asks for both.

Runs on the CPU in a process of its own. Refuses to guess meaning: it knows names, datatypes and shapes, nothing
clinical.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.datatypes import TensorFormat, datatype_of_ort_type, tensor_format
from stepdown.worker.faults import classify
from stepdown.worker.model_file import ModelFile, read_model_file
from stepdown.worker.session import ModelSession, SessionPlan, open_session

MAXIMUM_ROWS = 1024
"""As many cases as a set of known answers may have."""

_MISSING_OF = 3  # one value in three
# How far a correct device may be from the CPU, by width of the output; integers and booleans must be equal.
_RELATIVE_TOLERANCE = {2: 1e-2, 4: 1e-3, 8: 1e-6}


def describe(path: Path) -> dict[str, object]:
    """Inputs and outputs (name, datatype, shape; -1 where a dimension varies) and weight files of a model.

    A model that was exported for one row alone is described as one whose rows vary, with a `maximum_batch` of 1; for
    any other `maximum_batch` is None.

    Raises:
        WorkerError: the file is no model, or ONNX Runtime cannot open it on the CPU.
    """
    file = read_model_file(path)
    signature = _signature(_open(file))
    return {
        "inputs": [_described(spec) for spec in signature.inputs],
        "outputs": [_described(spec) for spec in signature.outputs],
        "external_data": list(file.external_data),
        "maximum_batch": 1 if signature.takes_one_row else None,
    }


def make_known_answers(
    path: Path, *, seed: int, rows: int, given: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of `known_answers.npz`: answers of the model on the CPU, to inputs that are given or drawn.

    Drawn: floats from the standard normal distribution, integers 0 or 1; of the last two rows one has missing values
    (NaN) and one has nothing else, unless the model answers such rows with something that is not a number.

    Raises:
        WorkerError: the model cannot be opened or run, or a tensor has no fixed row size.
    """
    session = _open(read_model_file(path))
    signature = _signature(session)
    inputs = tuple(tensor_format(spec) for spec in signature.inputs)
    outputs = tuple(tensor_format(spec) for spec in signature.outputs)
    answer = partial(_answers, session, inputs, outputs, rows_at_once=1 if signature.takes_one_row else MAXIMUM_ROWS)
    if given is not None:
        values = _given(inputs, given)
        answers = answer(values)
    else:
        values = _drawn(inputs, np.random.default_rng(seed), rows=rows, with_missing=True)
        answers = answer(values)
        if not all(np.isfinite(each).all() for each in answers):
            values = _drawn(inputs, np.random.default_rng(seed), rows=rows, with_missing=False)
            answers = answer(values)
    arrays = {f"input.{item.name}": value for item, value in zip(inputs, values, strict=True)}
    for item, each in zip(outputs, answers, strict=True):
        arrays |= {f"output.{item.name}": each, f"atol.{item.name}": np.array(_tolerance(each))}
    return arrays


def _open(file: ModelFile) -> ModelSession:
    return open_session(
        file.model, file.external_data, SessionPlan(provider=ExecutionProvider.CPU, minimum_placement_share=1.0)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """What a model takes and gives, its rows marked as varying; `takes_one_row`: it was exported for one row alone."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    takes_one_row: bool


def _signature(session: ModelSession) -> _Signature:
    inputs, outputs = _specs(session.inputs()), _specs(session.outputs())
    rows = {spec.shape[0] if spec.shape else 0 for spec in (*inputs, *outputs)}
    takes_one_row = 1 in rows and rows <= {1, -1}
    if takes_one_row:
        inputs, outputs = (
            tuple(replace(spec, shape=(-1, *spec.shape[1:])) for spec in side) for side in (inputs, outputs)
        )
    return _Signature(inputs=inputs, outputs=outputs, takes_one_row=takes_one_row)


def _specs(signature: Sequence[tuple[str, str, tuple[int, ...]]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name=name, datatype=datatype_of_ort_type(ort_type), shape=shape)
        for name, ort_type, shape in signature
    )


def _described(spec: TensorSpec) -> dict[str, object]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _given(inputs: Sequence[TensorFormat], given: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    fits = given.keys() == {item.name for item in inputs} and all(
        given[item.name].dtype == item.dtype and given[item.name].shape[1:] == item.row_shape for item in inputs
    )
    if not fits or len({len(array) for array in given.values()}) != 1:
        wanted = ", ".join(f"{item.name} {item.dtype}{[-1, *item.row_shape]}" for item in inputs)
        raise _unusable(
            f"the inputs given do not fit the model, which takes {wanted}, all with the same number of rows"
        )
    return tuple(np.ascontiguousarray(given[item.name]) for item in inputs)


def _drawn(
    inputs: Sequence[TensorFormat], chance: np.random.Generator, *, rows: int, with_missing: bool
) -> tuple[np.ndarray, ...]:
    drawn = []
    for item in inputs:
        shape = (rows, *item.row_shape)
        if item.dtype.kind != "f":
            drawn.append(chance.integers(0, 2, size=shape).astype(item.dtype))
            continue
        values = chance.standard_normal(shape).astype(item.dtype)
        if with_missing and rows > 1:
            size = values[0].size
            values[-2].reshape(-1)[chance.permutation(size)[: max(1, size // _MISSING_OF)]] = np.nan
            values[-1] = np.nan
        drawn.append(values)
    return tuple(drawn)


def _answers(
    session: ModelSession,
    inputs: Sequence[TensorFormat],
    outputs: Sequence[TensorFormat],
    values: Sequence[np.ndarray],
    *,
    rows_at_once: int,
) -> tuple[np.ndarray, ...]:
    names = [item.name for item in outputs]
    parts = []
    for first in range(0, len(values[0]), rows_at_once):
        rows = slice(first, first + rows_at_once)
        try:
            parts.append(session.run(names, {item.name: each[rows] for item, each in zip(inputs, values, strict=True)}))
        except Exception as error:
            raise _unusable(classify(error).detail) from error
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _tolerance(answer: np.ndarray) -> float:
    if answer.dtype.kind != "f":
        return 0.0
    finite = np.abs(answer[np.isfinite(answer)].astype(np.float64))
    return _RELATIVE_TOLERANCE[answer.dtype.itemsize] * max(1.0, float(finite.max(initial=0.0)))


def _unusable(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.EXECUTION_FAILED, detail=detail)
