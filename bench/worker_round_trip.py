"""What a worker costs: a batch there and back through the pool, beside the same run of ONNX Runtime in one process.

    .venv/bin/python bench/worker_round_trip.py [--threads N] [--repeats N]

The model is a small perceptron on [48, 40] inputs, so that the transport shows. The next batch is sent from the sink,
as the engine does. CPU is that of the server process alone.
"""

import argparse
import io
import resource
import statistics
import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console
from rich.table import Table

from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.bundles import BundleKind, Manifest, ModelSpec, TensorSpec, TierRole, VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, SpawnWorker
from stepdown.domain.engine_events import BatchCompleted, Event, WorkerReady
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import WorkerResources

BATCHES = (1, 16, 64)
_SHAPE = (48, 40)
_MICROSECONDS = 1e6
_WAIT_S = 60.0


class Echo:
    """A sink that sends the same batch again until it has been answered often enough."""

    def __init__(self) -> None:
        self.pool: ProcessWorkerPool | None = None
        self.ready = threading.Event()
        self.done = threading.Event()
        self.round_trips_s: list[float] = []
        self.compute_s: list[float] = []
        self._payloads: tuple[TensorRows, ...] = ()
        self._left = 0
        self._sent_s = 0.0

    def start(self, payloads: tuple[TensorRows, ...], repeats: int) -> None:
        """Send the first batch."""
        self._payloads, self._left = payloads, repeats
        self.round_trips_s, self.compute_s = [], []
        self.done.clear()
        self._send()

    def __call__(self, events: Sequence[Event]) -> None:
        """What the pool tells."""
        arrived_s = time.perf_counter()
        for event in events:
            if isinstance(event, WorkerReady):
                self.ready.set()
            elif isinstance(event, BatchCompleted):
                self.round_trips_s.append(arrived_s - self._sent_s)
                self.compute_s.append(event.compute_s)
                self._next()

    def _next(self) -> None:
        self._left -= 1
        if self._left:
            self._send()
        else:
            self.done.set()

    def _send(self) -> None:
        if self.pool is not None:
            self._sent_s = time.perf_counter()
            self.pool.dispatch(
                DispatchBatch(
                    worker=1, slot=self._left % 2, sequence=self._left, kind=BatchKind.LIVE, payloads=self._payloads
                )
            )


def perceptron() -> bytes:
    """A perceptron of one hidden layer over the flattened grid."""
    chance = np.random.default_rng(0)
    weights = {
        "first": chance.standard_normal((_SHAPE[0] * _SHAPE[1], 64), np.float32) / 44,
        "second": chance.standard_normal((64, 1), np.float32) / 8,
    }
    nodes = [
        helper.make_node("Flatten", ["observations"], ["flat"]),
        helper.make_node("MatMul", ["flat", "first"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "second"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "perceptron",
        [helper.make_tensor_value_info("observations", TensorProto.FLOAT, ["rows", *_SHAPE])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """The model as a worker opens it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def bundle(model: bytes, bare: onnxruntime.InferenceSession) -> VerifiedBundle:
    """The model as the pool takes it, with one known answer."""
    rows = np.zeros((1, *_SHAPE), np.float32)
    answers = io.BytesIO()
    arrays = {"input.observations": rows, "output.probability": bare.run(None, {"observations": rows})[0]}
    np.savez(answers, allow_pickle=False, **arrays, **{"atol.probability": np.array(1e-5)})
    spec = ModelSpec(
        file="model.onnx",
        external_data=(),
        maximum_batch=max(BATCHES),
        minimum_placement_share=1.0,
        inputs=(TensorSpec(name="observations", datatype="FP32", shape=(-1, *_SHAPE)),),
        outputs=(TensorSpec(name="probability", datatype="FP32", shape=(-1, 1), minimum=0.0, maximum=1.0),),
    )
    manifest = Manifest(
        name="perceptron",
        version="1.0.0",
        kind=BundleKind.ONNX,
        tier_role=TierRole.GENERIC,
        minimum_server_version="0.1.0",
        parent_version="",
        description="",
        model=spec,
    )
    files = {"model.onnx": model, "known_answers.npz": answers.getvalue()}
    return VerifiedBundle(manifest=manifest, files=files, signers=(), sha256="")


def bare_s(bare: onnxruntime.InferenceSession, rows: int, repeats: int) -> float:
    """Median seconds of one run in this process."""
    grid = np.random.default_rng(1).standard_normal((rows, *_SHAPE), np.float32)
    seconds = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        bare.run(None, {"observations": grid})
        seconds.append(time.perf_counter() - start_s)
    return statistics.median(seconds)


def cpu_s() -> float:
    """Processor time this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(pool: ProcessWorkerPool, echo: Echo, rows: int, repeats: int) -> tuple[float, float, float, float]:
    """Median and 99th percentile of the round trip, median of the run inside it, CPU per batch here; in seconds."""
    chance = np.random.default_rng(1)
    grids = tuple(
        TensorRows(rows=1, tensors=(chance.standard_normal(_SHAPE, np.float32).tobytes(),)) for _ in range(rows)
    )
    echo.pool = pool
    before_s = 0.0
    for count in (max(1, repeats // 10), repeats):
        before_s = cpu_s()
        echo.start(grids, count)
        if not echo.done.wait(_WAIT_S):
            raise TimeoutError("the worker stopped answering")
    used_s = (cpu_s() - before_s) / repeats
    trips = sorted(echo.round_trips_s)
    return statistics.median(trips), trips[int(0.99 * len(trips))], statistics.median(echo.compute_s), used_s


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=4000)
    asked = parser.parse_args()
    model = perceptron()
    bare = session(model, asked.threads)
    echo = Echo()
    pool = ProcessWorkerPool(echo, WorkerPoolOptions(resources=WorkerResources(threads=asked.threads)))
    table = Table(title=f"one batch, µs; {asked.threads} thread(s), {asked.repeats} repeats")
    for column in ("rows", "bare run", "run in worker", "round trip p50", "p99", "server CPU"):
        table.add_column(column, justify="right")
    try:
        order = SpawnWorker(
            worker=1,
            pathway="bench",
            tier="cpu",
            bundle=bundle(model, bare),
            execution_providers=(ExecutionProvider.CPU,),
        )
        pool.spawn(order)
        if not echo.ready.wait(_WAIT_S):
            raise TimeoutError("the worker did not become ready")
        for rows in BATCHES:
            there_and_back_s, slow_s, inside_s, used_s = measure(pool, echo, rows, asked.repeats)
            figures = (bare_s(bare, rows, asked.repeats), inside_s, there_and_back_s, slow_s, used_s)
            table.add_row(str(rows), *(f"{figure * _MICROSECONDS:.1f}" for figure in figures))
    finally:
        pool.close()
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
