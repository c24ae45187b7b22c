from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from stepdown.domain.errors import WorkerError
from stepdown.worker.model_file import addition_model, external_data_names, read_model_file
from tests.fakes.bundles import ECHO, LOOKUP


def external(name: str, location: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_the_model_made_here_is_one_that_the_onnx_package_accepts() -> None:
    model = onnx.load_from_string(addition_model(width=3))
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Add"]
    assert model.graph.input[0].type.tensor_type.shape.dim[1].dim_value == 3


def test_a_model_without_weight_files_names_none() -> None:
    assert external_data_names(ECHO.serialized()["model.onnx"]) == ()


def test_weight_files_are_named_once_each_wherever_in_the_graph_they_are() -> None:
    inner = helper.make_graph([], "inner", [], [], initializer=[external("c", "c.bin")])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner, name="branch")
    constant = helper.make_node("Constant", [], ["k"], name="constant", value=external("d", "d.bin"))
    graph = helper.make_graph(
        [node, constant], "outer", [], [], initializer=[external("a", "a.bin"), external("b", "a.bin")]
    )
    sparse = graph.sparse_initializer.add()
    sparse.values.CopyFrom(external("s", "s.bin"))
    function = helper.make_function(
        "local", "f", [], ["y"], [helper.make_node("Constant", [], ["y"], value=external("e", "e.bin"))], []
    )
    model = helper.make_model(graph, functions=[function])
    assert external_data_names(model.SerializeToString()) == ("a.bin", "s.bin", "c.bin", "d.bin", "e.bin")


@pytest.mark.parametrize("noise", [b"", b"\xff" * 100, b"hello"])
def test_what_is_no_model_is_refused(noise: bytes) -> None:
    with pytest.raises(WorkerError, match="not an ONNX file"):
        external_data_names(noise)


def test_a_model_is_read_with_its_weights(tmp_path: Path) -> None:
    for name, content in LOOKUP.serialized(external="weights/table.bin").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    read = read_model_file(tmp_path / "model.onnx")
    assert list(read.external_data) == ["weights/table.bin"]
    assert np.frombuffer(read.external_data["weights/table.bin"], np.float32)[0] == np.float32(0.1)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "a/../../secret.bin"])
def test_weights_outside_the_models_folder_are_never_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"secret")
    graph = helper.make_graph([], "g", [], [], initializer=[external("a", location)])
    (folder / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(WorkerError, match="outside its own folder"):
        read_model_file(folder / "model.onnx")


def test_weights_behind_a_link_out_of_the_folder_are_never_read(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"secret")
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    graph = helper.make_graph([], "g", [], [], initializer=[external("a", "link.bin")])
    (folder / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(WorkerError, match="outside its own folder"):
        read_model_file(folder / "model.onnx")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"absent\.onnx: No such file"):
        read_model_file(tmp_path / "absent.onnx")
