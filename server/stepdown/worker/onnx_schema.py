"""The few messages of the ONNX file format that this room reads and writes, described to the protobuf library.

The `onnx` package is a heavy, optional tool for authors of bundles; a server that only has to name the weight files of
a model, or to make a model of one node for `stepdown probe`, does without it. Field numbers: onnx.proto3 of the ONNX
specification. Fields that are not listed are kept unread. Refuses to judge a graph: ONNX Runtime does.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "stepdown.onnx"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "int64": _FIELD.TYPE_INT64,
    "int32": _FIELD.TYPE_INT32,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}

# message -> ((number, name, type, repeated), ...)
_MESSAGES: dict[str, tuple[tuple[int, str, str, bool], ...]] = {
    "ModelProto": (
        (1, "ir_version", "int64", False),
        (2, "producer_name", "string", False),
        (7, "graph", "GraphProto", False),
        (8, "opset_import", "OperatorSetIdProto", True),
        (25, "functions", "FunctionProto", True),
    ),
    "OperatorSetIdProto": ((1, "domain", "string", False), (2, "version", "int64", False)),
    "FunctionProto": ((7, "node", "NodeProto", True),),
    "GraphProto": (
        (1, "node", "NodeProto", True),
        (2, "name", "string", False),
        (5, "initializer", "TensorProto", True),
        (11, "input", "ValueInfoProto", True),
        (12, "output", "ValueInfoProto", True),
        (15, "sparse_initializer", "SparseTensorProto", True),
    ),
    "NodeProto": (
        (1, "input", "string", True),
        (2, "output", "string", True),
        (3, "name", "string", False),
        (4, "op_type", "string", False),
        (5, "attribute", "AttributeProto", True),
    ),
    "AttributeProto": (
        (5, "t", "TensorProto", False),
        (6, "g", "GraphProto", False),
        (10, "tensors", "TensorProto", True),
        (11, "graphs", "GraphProto", True),
        (22, "sparse_tensor", "SparseTensorProto", False),
        (23, "sparse_tensors", "SparseTensorProto", True),
    ),
    "SparseTensorProto": ((1, "values", "TensorProto", False), (2, "indices", "TensorProto", False)),
    "TensorProto": (
        (1, "dims", "int64", True),
        (2, "data_type", "int32", False),
        (8, "name", "string", False),
        (9, "raw_data", "bytes", False),
        (13, "external_data", "StringStringEntryProto", True),
        (14, "data_location", "int32", False),
    ),
    "StringStringEntryProto": ((1, "key", "string", False), (2, "value", "string", False)),
    "ValueInfoProto": ((1, "name", "string", False), (2, "type", "TypeProto", False)),
    "TypeProto": ((1, "tensor_type", "TensorTypeProto", False),),
    "TensorTypeProto": ((1, "elem_type", "int32", False), (2, "shape", "TensorShapeProto", False)),
    "TensorShapeProto": ((1, "dim", "DimensionProto", True),),
    "DimensionProto": ((1, "dim_value", "int64", False), (2, "dim_param", "string", False)),
}


@cache
def message_class(name: str) -> Any:  # noqa: ANN401 - the protobuf library makes the class at run time
    """The class of one message, such as `ModelProto`. Raises: KeyError."""
    return _classes()[f"{_PACKAGE}.{name}"]


@cache
def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="stepdown/onnx.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for number, name, kind, repeated in fields:
            field = described.field.add(name=name, number=number)
            field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return dict(message_factory.GetMessageClassesForFiles([file.name], pool))
