"""Run an exported graph over the hours of many stays, on the CPU, exactly as the file stands."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.training.columns import COLUMN_COUNT, WINDOW_H
from models.training.published import OBSERVATIONS
from models.training.stays import Stays
from models.training.windows import windows

BATCH = 64


class Graph:
    """One ONNX file opened with ONNX Runtime's CPU provider and nothing else."""

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        """Open `model`, a file or its bytes."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        self._session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())

    def run(self, grid: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return every output for raw windows [N, 48, 40]."""
        values = self._session.run(list(self.outputs), {OBSERVATIONS: grid})
        return dict(zip(self.outputs, values, strict=True))

    def over_rows(self, stays: Stays, rows: NDArray[np.int64], output: str) -> NDArray[np.float32]:
        """Return one output for each of `rows`."""
        parts = [self.run(windows(stays, rows[at : at + BATCH]))[output] for at in range(0, len(rows), BATCH)]
        return np.concatenate(parts)


def padding() -> NDArray[np.float32]:
    """Return one window in which nothing was ever observed, [1, 48, 40]."""
    return np.full((1, WINDOW_H, COLUMN_COUNT), np.nan, dtype=np.float32)
