import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker import known_answers
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.known_answers import KnownAnswers, parse_known_answers, relative_error
from tests.fakes.bundles import ECHO, Arrays, archive

INPUTS = tuple(map(tensor_format, ECHO.inputs))
OUTPUTS = tuple(map(tensor_format, ECHO.outputs))
GOOD: Arrays = {
    "input.values": np.zeros((2, 3), np.float32),
    "output.score": np.zeros((2, 1), np.float32),
    "output.checks": np.zeros((2, 2), np.float32),
    "atol.score": np.array(0.01),
    "atol.checks": np.array([0.02]),
}


def parsed(**changed: np.ndarray | None) -> KnownAnswers:
    arrays = {name: array for name, array in (GOOD | changed).items() if array is not None}
    return parse_known_answers(archive(arrays), inputs=INPUTS, outputs=OUTPUTS)


def test_arrays_are_read_in_the_order_of_the_manifest() -> None:
    known = parsed()
    assert known.cases == 2
    assert [array.shape for array in known.outputs] == [(2, 1), (2, 2)]
    assert known.tolerances == (0.01, 0.02)


@pytest.mark.parametrize(
    "changed",
    [
        {"output.checks": None},
        {"atol.score": None},
        {"output.more": np.zeros((2, 1), np.float32)},
        {"input.values": np.zeros((2, 3))},
        {"input.values": np.zeros((2, 4), np.float32)},
        {"input.values": np.zeros(2, np.float32)},
        {"input.values": np.zeros((3, 3), np.float32)},
        {name: GOOD[name][:0] for name in ("input.values", "output.score", "output.checks")},
        {"atol.score": np.array(-0.1)},
        {"atol.score": np.array(np.inf)},
        {"atol.score": np.array([0.1, 0.1])},
        {"atol.score": np.array(1)},
    ],
)
def test_what_does_not_fit_the_manifest_is_refused(changed: dict[str, np.ndarray | None]) -> None:
    with pytest.raises(WorkerError, match=r"known_answers\.npz") as raised:
        parsed(**changed)
    assert raised.value.reason is Reason.KNOWN_ANSWER_MISMATCH


def test_a_pickle_is_never_opened() -> None:
    file = io.BytesIO()
    np.savez(file, **{**GOOD, "output.score": np.array([{"a": 1}, None], dtype=object)})  # type: ignore[arg-type]
    with pytest.raises(WorkerError, match="plain arrays"):
        parse_known_answers(file.getvalue(), inputs=INPUTS, outputs=OUTPUTS)


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_answers, "_MAXIMUM_BYTES", 1000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("input.values.npy", bytes(100_000))
    assert len(file.getvalue()) < 1000
    with pytest.raises(WorkerError, match="more than 1000"):
        parse_known_answers(file.getvalue(), inputs=INPUTS, outputs=OUTPUTS)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_worker_error(noise: bytes) -> None:
    with pytest.raises(WorkerError):
        parse_known_answers(noise, inputs=INPUTS, outputs=OUTPUTS)


@given(st.integers(0, 2000), st.integers(1, 255))
def test_any_damage_is_refused_or_harmless(place: int, flip: int) -> None:
    content = bytearray(archive(GOOD))
    content[place % len(content)] ^= flip
    try:
        parse_known_answers(bytes(content), inputs=INPUTS, outputs=OUTPUTS)
    except WorkerError:
        return


def error(expected: object, actual: object, tolerance: float = 0.1, dtype: str = "f4") -> float:
    return relative_error(np.array(expected, dtype), np.array(actual, dtype), tolerance=tolerance)


def test_the_error_is_the_largest_difference_in_tolerances() -> None:
    assert error([1.0, 2.0], [1.05, 2.0]) == pytest.approx(0.5, rel=1e-3)
    assert error([1.0, 2.0], [1.05, 1.8]) == pytest.approx(2.0, rel=1e-3)


def test_missing_where_missing_is_known_is_right_and_missing_elsewhere_is_not() -> None:
    nan, inf = float("nan"), float("inf")
    assert error([nan, 1.0], [nan, 1.0]) == 0
    assert error([nan, 1.0], [1.0, 1.0]) == inf
    assert error([1.0], [nan]) == inf
    assert error([inf], [inf]) == 0
    assert error([inf], [-inf]) == inf


def test_without_a_tolerance_only_the_same_will_do() -> None:
    assert error([3, 4], [3, 4], tolerance=0.0, dtype="i8") == 0
    assert error([3, 4], [3, 5], tolerance=0.0, dtype="i8") == float("inf")
    assert error([3, 4], [3, 5], tolerance=2.0, dtype="i8") == 0.5
    assert error([1.0], [1.0 + 1e-7], tolerance=0.0) >= 0


def test_another_shape_or_type_is_infinitely_wrong() -> None:
    assert relative_error(np.zeros((1, 2)), np.zeros((2, 1)), tolerance=1.0) == float("inf")
    assert relative_error(np.zeros(2, "f4"), np.zeros(2, "f8"), tolerance=1.0) == float("inf")


@given(hnp.arrays(np.float32, (3, 2)))
def test_anything_equals_itself(array: np.ndarray) -> None:
    assert relative_error(array, array.copy(), tolerance=0.0) == 0
