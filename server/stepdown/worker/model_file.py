"""An ONNX file on an author's disk: its bytes, the weight files it names, and the same for a model made here.

For the commands that help to write a bundle. A worker never comes here: it is handed verified bytes. Refuses weight
files outside the model's own folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from google.protobuf.message import DecodeError

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.datatypes import onnx_code
from stepdown.worker.onnx_schema import message_class

_EXTERNAL = 1
_ADD_OPSET = 17
_ADD_IR_VERSION = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model and its weight files by the location the model gives them, in order of first mention."""

    model: bytes
    external_data: dict[str, bytes]


def read_model_file(path: Path) -> ModelFile:
    """Read a model and every weight file it names.

    Raises:
        WorkerError: EXECUTION_FAILED when it is no ONNX file, or names weights outside its folder or absent.
    """
    try:
        model = path.read_bytes()
        return ModelFile(
            model=model, external_data={name: _weights(path.parent, name) for name in external_data_names(model)}
        )
    except OSError as error:
        raise _unreadable(f"{error.filename}: {error.strerror}") from error


def external_data_names(model: bytes) -> tuple[str, ...]:
    """Every location an ONNX file takes weights from, each once, in order. Raises: WorkerError: it is no ONNX file."""
    parsed = message_class("ModelProto")()
    try:
        parsed.ParseFromString(model)
    except DecodeError as error:
        raise _unreadable("not an ONNX file") from error
    if not parsed.HasField("graph"):
        raise _unreadable("not an ONNX file: it holds no graph")
    tensors = [*_graph_tensors(parsed.graph)]
    for function in parsed.functions:
        tensors += _node_tensors(function.node)
    return tuple(dict.fromkeys(name for tensor in tensors for name in _locations(tensor)))


def addition_model(*, rows_name: str = "rows", width: int = 4) -> bytes:
    """A model of one node, `sum = value + value`, float32 [rows, width]: enough to see a provider really compute."""
    model = message_class("ModelProto")(ir_version=_ADD_IR_VERSION, producer_name="stepdown")
    model.opset_import.add(version=_ADD_OPSET)
    model.graph.name = "probe"
    model.graph.node.add(input=["value", "value"], output=["sum"], name="add", op_type="Add")
    for group, name in ((model.graph.input, "value"), (model.graph.output, "sum")):
        tensor = group.add(name=name).type.tensor_type
        tensor.elem_type = onnx_code("FP32")
        tensor.shape.dim.add(dim_param=rows_name)
        tensor.shape.dim.add(dim_value=width)
    serialized: bytes = model.SerializeToString()
    return serialized


def _graph_tensors(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - messages are made at run time
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Any) -> Iterator[Any]:  # noqa: ANN401 - messages are made at run time
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _graph_tensors(graph)


def _locations(tensor: Any) -> Iterator[str]:  # noqa: ANN401 - messages are made at run time
    if tensor.data_location == _EXTERNAL:
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")


def _weights(folder: Path, name: str) -> bytes:
    location = PurePosixPath(name)
    if (
        location.is_absolute()
        or ".." in location.parts
        or not (folder / location).resolve().is_relative_to(folder.resolve())
    ):
        raise _unreadable(f"the model takes weights from {name!r}, outside its own folder")
    return (folder / location).read_bytes()


def _unreadable(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.EXECUTION_FAILED, detail=detail)
