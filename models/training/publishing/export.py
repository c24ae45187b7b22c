"""Turn a fitted PyTorch module into the bytes of one self-contained, reproducible ONNX file.

The exporter writes stack traces with source paths into every node; without them the same weights give the same bytes
anywhere.
"""

import io
from typing import Any

import onnx
import torch
from onnx import ModelProto
from torch import nn

from models.training.columns import COLUMN_COUNT, WINDOW_H
from models.training.published import OBSERVATIONS

OPSET = 20
LARGEST_BATCH = 1024


def export(module: nn.Module, *, outputs: tuple[str, ...]) -> bytes:
    """Return the ONNX model of `module`, raw grid in, `outputs` out, any batch from 1."""
    example = torch.full((2, WINDOW_H, COLUMN_COUNT), torch.nan)
    program = torch.onnx.export(
        module.eval(),
        (example,),
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        input_names=[OBSERVATIONS],
        output_names=list(outputs),
        dynamic_shapes=({0: torch.export.Dim("N", min=1, max=LARGEST_BATCH)},),
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    written = io.BytesIO()
    program.save(written, external_data=False)
    return strip(onnx.load_from_string(written.getvalue()))


def strip(model: ModelProto) -> bytes:
    """Return `model` without anything that depends on where it was exported, serialised deterministically."""
    graph = model.graph
    nodes = [*graph.node, *(node for function in model.functions for node in function.node)]
    values = [*graph.value_info, *graph.input, *graph.output]
    parts: list[Any] = [model, graph, *nodes, *values, *graph.initializer, *model.functions]
    for part in parts:
        part.doc_string = ""
        del part.metadata_props[:]
    model.producer_name, model.producer_version = "stepdown", ""
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
