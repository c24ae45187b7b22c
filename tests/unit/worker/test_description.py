from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from stepdown.domain.errors import WorkerError
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.description import describe, make_known_answers
from stepdown.worker.known_answers import parse_known_answers
from tests.fakes.bundles import ECHO, LOOKUP, TestModel, archive


def written(model: TestModel, folder: Path, *, external: str = "") -> Path:
    for name, content in model.serialized(external=external).items():
        (folder / name).write_bytes(content)
    return folder / "model.onnx"


def test_a_model_is_described_in_the_words_of_a_manifest(tmp_path: Path) -> None:
    assert describe(written(LOOKUP, tmp_path, external="table.bin")) == {
        "inputs": [{"name": "index", "datatype": "INT64", "shape": [-1, 1]}],
        "outputs": [{"name": "score", "datatype": "FP32", "shape": [-1, 1]}],
        "external_data": ["table.bin"],
        "maximum_batch": None,
    }


def test_a_model_exported_for_one_row_is_described_as_one_that_is_asked_row_by_row(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    described = describe(path)
    assert described["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    assert described["maximum_batch"] == 1
    arrays = make_known_answers(path, seed=0, rows=4)
    np.testing.assert_array_equal(arrays["output.y"], -arrays["input.x"])


def test_dimensions_that_vary_and_strings_are_described_as_they_are(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.STRING, ["rows", "words", 3])],
        [helper.make_tensor_value_info("y", TensorProto.STRING, ["rows", "words", 3])],
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    assert describe(path)["inputs"] == [{"name": "x", "datatype": "BYTES", "shape": [-1, -1, 3]}]
    with pytest.raises(WorkerError, match="the batch, may vary"):
        make_known_answers(path, seed=0, rows=4)


def test_known_answers_are_what_the_model_says_and_fit_its_manifest(tmp_path: Path) -> None:
    arrays = make_known_answers(written(ECHO, tmp_path), seed=3, rows=8)
    known = parse_known_answers(
        archive(arrays),
        inputs=tuple(map(tensor_format, ECHO.inputs)),
        outputs=tuple(map(tensor_format, ECHO.outputs)),
    )
    assert known.cases == 8
    assert np.array_equal(arrays["output.score"], arrays["input.values"][:, :1])
    assert known.tolerances[0] == pytest.approx(1e-3 * max(1, np.abs(arrays["output.score"]).max()))


def test_the_same_seed_makes_the_same_answers(tmp_path: Path) -> None:
    path = written(ECHO, tmp_path)
    first, again, other = (make_known_answers(path, seed=seed, rows=6) for seed in (1, 1, 2))
    assert np.array_equal(first["input.values"], again["input.values"])
    assert not np.array_equal(first["input.values"], other["input.values"])


def test_missing_values_are_asked_only_of_a_model_that_bears_them(tmp_path: Path) -> None:
    assert np.isfinite(make_known_answers(written(ECHO, tmp_path), seed=0, rows=8)["input.values"]).all()
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", ["x"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "x"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 9])],
        [helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])],
    )
    path = tmp_path / "bearing.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    inputs = make_known_answers(path, seed=0, rows=8)["input.x"]
    assert np.isnan(inputs[-1]).all()
    assert 0 < np.isnan(inputs[-2]).sum() < 9
    assert np.isfinite(inputs[:-2]).all()


def test_integers_are_drawn_so_that_most_tables_hold_them(tmp_path: Path) -> None:
    arrays = make_known_answers(written(LOOKUP, tmp_path), seed=0, rows=8)
    assert set(arrays["input.index"].ravel()) <= {0, 1}
    assert arrays["atol.score"] > 0


def test_inputs_that_are_given_are_used_as_they_are(tmp_path: Path) -> None:
    given = {"index": np.array([[3], [0]], np.int64)}
    arrays = make_known_answers(written(LOOKUP, tmp_path), seed=0, rows=99, given=given)
    assert arrays["output.score"].ravel().tolist() == pytest.approx([0.4, 0.1])


@pytest.mark.parametrize(
    "given",
    [{}, {"index": np.zeros((2, 1))}, {"index": np.zeros((2, 2), np.int64)}, {"other": np.zeros((2, 1), np.int64)}],
)
def test_inputs_that_do_not_fit_are_refused_with_what_fits(tmp_path: Path, given: dict[str, np.ndarray]) -> None:
    with pytest.raises(WorkerError, match="index int64"):
        make_known_answers(written(LOOKUP, tmp_path), seed=0, rows=2, given=given)


def test_inputs_the_model_fails_on_are_said_to_fail(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="out of data bounds"):
        make_known_answers(written(LOOKUP, tmp_path), seed=0, rows=2, given={"index": np.full((1, 1), 9, np.int64)})
