"""Bundles for tests: tiny ONNX graphs whose outputs the test chooses by its inputs, as `VerifiedBundle`s nobody signed.

`ECHO`: input `values` [rows, 3]; outputs `score` = its first column, bounded to 0..1, and `checks` = the other two.
`LOOKUP`: input `index` [rows, 1] (INT64) into a table of four; an index outside it fails the run.
`MEMORY`: input `size` [rows, 1] (INT64); asks for that many floats.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from stepdown.domain.bundles import (
    BundleKind,
    InputCheckPolicy,
    Manifest,
    ModelSpec,
    TensorSpec,
    TierRole,
    VerifiedBundle,
)
from stepdown.worker.known_answers import FILE as KNOWN_ANSWERS

LABELS = ("EXTREME_VALUE", "FLAT_LINE")
TABLE = np.array([0.1, 0.2, 0.3, 0.4], np.float32)

Arrays = dict[str, np.ndarray]
Compute = Callable[[Mapping[str, np.ndarray]], Arrays]

_ONNX_TYPES = {"FP32": TensorProto.FLOAT, "INT64": TensorProto.INT64}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestModel:
    """A graph with its signature, what it computes in NumPy, and inputs that it answers lawfully."""

    __test__ = False

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    nodes: tuple[NodeProto, ...]
    constants: Arrays
    compute: Compute
    examples: Arrays
    input_checks: InputCheckPolicy | None = None

    def serialized(self, *, external: str = "") -> dict[str, bytes]:
        """The ONNX file and, when `external` names one, the weight file its constants were moved to."""
        initializers = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        weights = b""
        for tensor in initializers if external else ():
            place = {"location": external, "offset": str(len(weights)), "length": str(len(tensor.raw_data))}
            weights += tensor.raw_data
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in place.items():
                tensor.external_data.add(key=key, value=value)
        graph = helper.make_graph(
            self.nodes, "test", [*map(_value, self.inputs)], [*map(_value, self.outputs)], initializers
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return {"model.onnx": model.SerializeToString()} | ({external: weights} if external else {})

    def known_answers(self, *, offset: float = 0.0) -> bytes:
        """The archive of the examples; `offset` makes every answer wrong by that much."""
        answers = self.compute(self.examples)
        arrays = {f"input.{name}": array for name, array in self.examples.items()}
        arrays |= {f"output.{name}": array + np.float32(offset) for name, array in answers.items()}
        arrays |= {f"atol.{name}": np.array(1e-4) for name in answers}
        return archive(arrays)


def archive(arrays: Arrays) -> bytes:
    """An `.npz` of these arrays."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def bundle(model: TestModel, *, external: str = "", maximum_batch: int = 8, **changed: bytes) -> VerifiedBundle:
    """A bundle of the model. `known_answers` replaces that file."""
    files = {KNOWN_ANSWERS: model.known_answers()} | model.serialized(external=external)
    if "known_answers" in changed:
        files[KNOWN_ANSWERS] = changed["known_answers"]
    spec = ModelSpec(
        file="model.onnx",
        external_data=(external,) if external else (),
        maximum_batch=maximum_batch,
        minimum_placement_share=1.0,
        inputs=model.inputs,
        outputs=model.outputs,
        input_checks=model.input_checks,
    )
    manifest = Manifest(
        name="tiny",
        version="1.0.0",
        kind=BundleKind.ONNX,
        tier_role=TierRole.GENERIC,
        minimum_server_version="0.1.0",
        parent_version="",
        description="a graph for tests",
        model=spec,
    )
    return VerifiedBundle(manifest=manifest, files=files, signers=(), sha256="0" * 64)


def with_model(changed: VerifiedBundle, **fields: object) -> VerifiedBundle:
    """The same bundle with fields of its model spec replaced."""
    spec = changed.manifest.model
    assert spec is not None
    return replace(changed, manifest=replace(changed.manifest, model=replace(spec, **fields)))  # type: ignore[arg-type]


def _value(spec: TensorSpec) -> ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, _ONNX_TYPES[spec.datatype], ["rows", *spec.shape[1:]])


ECHO = TestModel(
    inputs=(TensorSpec(name="values", datatype="FP32", shape=(-1, 3)),),
    outputs=(
        TensorSpec(name="score", datatype="FP32", shape=(-1, 1), minimum=0.0, maximum=1.0),
        TensorSpec(name="checks", datatype="FP32", shape=(-1, 2), labels=LABELS),
    ),
    nodes=(
        helper.make_node("Gather", ["values", "first"], ["score"], name="score", axis=1),
        helper.make_node("Gather", ["values", "others"], ["checks"], name="checks", axis=1),
    ),
    constants={"first": np.array([0], np.int64), "others": np.array([1, 2], np.int64)},
    compute=lambda inputs: {"score": inputs["values"][:, :1], "checks": inputs["values"][:, 1:]},
    examples={"values": np.linspace(0, 1, 36, dtype=np.float32).reshape(12, 3)},
    input_checks=InputCheckPolicy(output="checks", flag_at=1.0, refuse_at=3.0),
)

LOOKUP = TestModel(
    inputs=(TensorSpec(name="index", datatype="INT64", shape=(-1, 1)),),
    outputs=(TensorSpec(name="score", datatype="FP32", shape=(-1, 1)),),
    nodes=(helper.make_node("Gather", ["table", "index"], ["score"], name="look"),),
    constants={"table": TABLE},
    compute=lambda inputs: {"score": TABLE[inputs["index"]]},
    examples={"index": np.arange(4, dtype=np.int64).reshape(4, 1)},
)

MEMORY = TestModel(
    inputs=(TensorSpec(name="size", datatype="INT64", shape=(-1, 1)),),
    outputs=(TensorSpec(name="score", datatype="FP32", shape=(-1, 1)),),
    nodes=(
        helper.make_node("ReduceMax", ["size"], ["largest"], name="largest", keepdims=0),
        helper.make_node("Reshape", ["largest", "as_shape"], ["shape"], name="shape"),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"], name="allocate"),
        helper.make_node("ReduceMax", ["zeros"], ["zero"], name="touch", keepdims=0),
        helper.make_node("Cast", ["size"], ["sizes"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["sizes", "zero"], ["score"], name="score"),
    ),
    constants={"as_shape": np.array([1], np.int64)},
    compute=lambda inputs: {"score": np.zeros(inputs["size"].shape, np.float32)},
    examples={"size": np.arange(1, 5, dtype=np.int64).reshape(4, 1)},
)
