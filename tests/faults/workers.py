"""Orders, batches and questions to the operating system that the tests of real workers share."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, SpawnWorker
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import ExecutionProvider
from tests.fakes.bundles import ECHO, bundle

CPU = (ExecutionProvider.CPU,)


def order(
    worker: int = 1, *, loads: VerifiedBundle | None = None, on: tuple[ExecutionProvider, ...] = CPU
) -> SpawnWorker:
    return SpawnWorker(worker=worker, pathway="ward", tier="tiny", bundle=loads or bundle(ECHO), execution_providers=on)


def batch(values: np.ndarray | None = None, *, sequence: int = 1, slot: int = 0, worker: int = 1) -> DispatchBatch:
    array = np.array([[0.25, 0, 0]], np.float32) if values is None else values
    payload = TensorRows(rows=len(array), tensors=(array.tobytes(),))
    return DispatchBatch(worker=worker, slot=slot, sequence=sequence, kind=BatchKind.LIVE, payloads=(payload,))


def gone(pid: int) -> bool:
    """Whether the process is no more (a zombie is no more)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def soon(condition: Callable[[], bool], *, within_s: float = 45.0) -> bool:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True
