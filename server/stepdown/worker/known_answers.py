"""Known answers: inputs whose outputs were fixed when the bundle was made, and how far a worker may be from them.

Read on both sides of the mailbox: the worker proves itself with all of them before it says ready, the server asks for
one again and again afterwards. Refuses anything but plain arrays of the manifest's names, types and shapes (no
pickles).
"""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.datatypes import TensorFormat

FILE = "known_answers.npz"
_MAXIMUM_CASES = 1024
_MAXIMUM_BYTES = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownAnswers:
    """`cases` rows of every graph input and output, in manifest order, with one absolute tolerance per output."""

    cases: int
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    tolerances: tuple[float, ...]


def parse_known_answers(
    archive: bytes, *, inputs: Sequence[TensorFormat], outputs: Sequence[TensorFormat]
) -> KnownAnswers:
    """Read `known_answers.npz`.

    Raises:
        WorkerError: KNOWN_ANSWER_MISMATCH when it is malformed or does not fit the manifest.
    """
    arrays = _read_arrays(archive)
    wanted = {f"input.{item.name}" for item in inputs} | {
        f"{kind}.{item.name}" for item in outputs for kind in ("output", "atol")
    }
    if arrays.keys() != wanted:
        raise _malformed(f"arrays missing {sorted(wanted - arrays.keys())}, unknown {sorted(arrays.keys() - wanted)}")
    cases = {len(array) for name, array in arrays.items() if array.ndim and not name.startswith("atol.")}
    if len(cases) != 1 or not 1 <= min(cases) <= _MAXIMUM_CASES:
        raise _malformed(f"every array needs the same number of rows, 1 to {_MAXIMUM_CASES}")
    return KnownAnswers(
        cases=cases.pop(),
        inputs=tuple(_fitting(arrays[f"input.{item.name}"], item, role="input") for item in inputs),
        outputs=tuple(_fitting(arrays[f"output.{item.name}"], item, role="output") for item in outputs),
        tolerances=tuple(_tolerance(arrays[f"atol.{item.name}"], item.name) for item in outputs),
    )


def relative_error(expected: np.ndarray, actual: np.ndarray, *, tolerance: float) -> float:
    """Largest absolute difference over the tolerance (<= 1 passes); infinite where only one of the two is a number."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return float("inf")
    if expected.dtype.kind != "f":
        difference = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
        return _ratio(float(difference.max(initial=0.0)), tolerance)
    agreeing = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
    if agreeing.all():
        return 0.0
    difference = np.abs(expected[~agreeing].astype(np.float64) - actual[~agreeing].astype(np.float64))
    return _ratio(float(difference.max()), tolerance)


def _ratio(difference: float, tolerance: float) -> float:
    if difference == 0:
        return 0.0
    # A difference that is not a number (one side missing, or infinite) is as far off as can be.
    return difference / tolerance if tolerance > 0 and np.isfinite(difference) else float("inf")


def _read_arrays(archive: bytes) -> Mapping[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as members:
            if sum(member.file_size for member in members.infolist()) > _MAXIMUM_BYTES:
                raise _malformed(f"unpacks to more than {_MAXIMUM_BYTES} bytes")
        with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _malformed(f"not an archive of plain arrays ({type(error).__name__})") from error


def _fitting(array: np.ndarray, wanted: TensorFormat, *, role: str) -> np.ndarray:
    if array.dtype != wanted.dtype or array.shape[1:] != wanted.row_shape or array.ndim != len(wanted.row_shape) + 1:
        raise _malformed(
            f"{role} {wanted.name} is {array.dtype}{list(array.shape)}, "
            f"the manifest says {wanted.dtype}{[-1, *wanted.row_shape]}"
        )
    return np.ascontiguousarray(array, dtype=wanted.dtype)


def _tolerance(array: np.ndarray, name: str) -> float:
    if array.size != 1 or array.dtype.kind != "f" or not np.isfinite(array).all() or array.min() < 0:
        raise _malformed(f"atol.{name} is not one finite, non-negative number")
    return float(array.reshape(()))


def _malformed(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.KNOWN_ANSWER_MISMATCH, detail=f"{FILE}: {detail}")
