"""`stepdown bundle init` as its users type it, with real models and a real child process."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from stepdown.adapters.bundle_directory import read_directory
from stepdown.cli.bundle import making as bundle_making
from stepdown.trust.contents import examine_contents
from tests.unit.cli.bundle.bundle_commands import answer, run


def model_with_two_inputs(folder: Path) -> Path:
    """Two inputs, two outputs, three types, weights in a file of their own."""
    make = onnx.helper.make_tensor_value_info
    weights = onnx.numpy_helper.from_array(np.ones((4, 3), np.float32), "weights")
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["values", "weights"], ["product"]),
            onnx.helper.make_node("Cast", ["counts"], ["doubled"], to=onnx.TensorProto.DOUBLE),
        ],
        "two",
        [
            make("values", onnx.TensorProto.FLOAT, ["rows", 4]),
            make("counts", onnx.TensorProto.INT64, ["rows"]),
        ],
        [make("product", onnx.TensorProto.FLOAT, ["rows", 3]), make("doubled", onnx.TensorProto.DOUBLE, ["rows"])],
        [weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = folder / "Two.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="two.weights", size_threshold=0)
    return path


def test_a_user_s_model_becomes_a_bundle_that_verifies(tmp_path: Path) -> None:
    model = model_with_two_inputs(tmp_path)
    place = tmp_path / "models" / "two" / "2.1.0"
    made = answer("init", model, "--version", "2.1.0", "--out", place, "--rows", "8")
    assert (made["name"], made["version"], made["external_data"]) == ("two", "2.1.0", ["two.weights"])
    assert [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in made["inputs"] + made["outputs"]] == [
        ("values", "FP32", [-1, 4]),
        ("counts", "INT64", [-1]),
        ("product", "FP32", [-1, 3]),
        ("doubled", "FP64", [-1]),
    ]
    manifest = examine_contents(read_directory(place))
    assert manifest.model is not None
    assert (manifest.tier_role, manifest.model.maximum_batch) == ("generic", 64)
    with np.load(place / "known_answers.npz") as arrays:
        assert arrays["input.counts"].shape == (8,)
        np.testing.assert_array_equal(arrays["output.doubled"], arrays["input.counts"].astype(np.float64))
    shown = run("inspect", place)
    assert "counts  INT64 [-1]" in shown.stdout
    signed = run("sign", place, "--key", tmp_path / "me.key.pem", "--create-key")
    assert signed.exit_code == 0
    assert "[[signer]]" in signed.stdout
    verified = answer("verify", place, "--key", tmp_path / "me.pub.pem")
    assert (verified["verified"], verified["signers"][0]["name"]) == (True, "me")


def test_a_model_goes_to_models_under_its_own_name_when_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init", model_with_two_inputs(tmp_path))
    assert result.exit_code == 0, result.output
    assert "stepdown bundle sign models/two/1.0.0" in result.stdout
    assert (tmp_path / "models/two/1.0.0/card.toml").exists()
    again = run("init", tmp_path / "Two.onnx")
    assert (again.exit_code, "exists and is not empty" in again.stderr) == (1, True)


def test_known_answers_can_be_made_from_inputs_that_are_given(tmp_path: Path) -> None:
    model = model_with_two_inputs(tmp_path)
    np.savez(tmp_path / "in.npz", values=np.full((2, 4), 2.0, np.float32), counts=np.array([7, 8]))
    place = tmp_path / "made"
    place.mkdir()
    answer("init", model, "--out", place, "--inputs", tmp_path / "in.npz")
    with np.load(place / "known_answers.npz") as arrays:
        np.testing.assert_array_equal(arrays["output.product"], np.full((2, 3), 8.0, np.float32))


@pytest.mark.parametrize(
    ("shape", "datatype", "told"),
    [
        ([3, 4], onnx.TensorProto.FLOAT, "first dimension that varies"),
        (["rows", "time"], onnx.TensorProto.FLOAT, "make_dynamic_shape_fixed"),
        (["rows", 4], onnx.TensorProto.STRING, "has a type that cannot be served"),
        ([], onnx.TensorProto.FLOAT, "first dimension that varies"),
    ],
)
def test_a_model_no_worker_could_serve_is_refused_with_what_to_do(
    tmp_path: Path, shape: list[int | str], datatype: int, told: str
) -> None:
    tensors = [onnx.helper.make_tensor_value_info(name, datatype, shape) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", tensors[:1], tensors[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "m.onnx")
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, told in result.stderr) == (1, True), result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx"]


def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("hello")
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, "not an ONNX file" in result.stderr) == (1, True)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("option", "value"), [("--name", "Bad Name"), ("--version", "1.0"), ("--rows", "0")])
def test_a_wrong_command_line_is_exit_code_2(tmp_path: Path, option: str, value: str) -> None:
    (tmp_path / "m.onnx").touch()
    result = run("init", tmp_path / "m.onnx", option, value)
    assert (result.exit_code, option in result.stderr) == (2, True)


def test_a_model_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").touch()
    monkeypatch.setattr(bundle_making, "_CHILD_TIMEOUT_S", 0.001)
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, "gave no answer within" in result.stderr) == (1, True)
