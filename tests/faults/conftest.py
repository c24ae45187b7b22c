"""A pool of real processes, and what it tells and logs; a whole chain over a stood-in accelerator."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stepdown.adapters.worker_pool.options import WORKER_PROGRAM, WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.worker.order import WorkerResources
from tests.fakes.worker_events import Told
from tests.faults.living_chain import LivingChain

STAND_IN = Path(__file__).with_name("stand_in_worker.py")

Start = Callable[..., ProcessWorkerPool]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def start(told: Told, log: list[str]) -> Iterator[Start]:
    """Start a pool of real workers, or of the stand-in misbehaving as `mode` says."""
    with ExitStack() as pools:

        def started(mode: str = "", *, load_timeout_s: float = 60.0) -> ProcessWorkerPool:
            program = (sys.executable, str(STAND_IN), mode) if mode else WORKER_PROGRAM
            options = WorkerPoolOptions(
                resources=WorkerResources(threads=1),
                warm_up_s=0.01,
                load_timeout_s=load_timeout_s,
                log=log.append,
                program=program,
            )
            pool = ProcessWorkerPool(told, options)
            pools.callback(pool.close)
            return pool

        yield started


@pytest.fixture
def make(told: Told, log: list[str]) -> Iterator[Start]:
    """Start a pool in the same way, with these options."""
    with ExitStack() as pools:

        def made(mode: str = "", **options: Any) -> ProcessWorkerPool:  # noqa: ANN401 - any option may be named
            program = (sys.executable, str(STAND_IN), mode) if mode else WORKER_PROGRAM
            told_options: dict[str, Any] = {"resources": WorkerResources(threads=1), "warm_up_s": 0.01} | options
            pool = ProcessWorkerPool(told, WorkerPoolOptions(program=program, log=log.append, **told_options))
            pools.callback(pool.close)
            return pool

        yield made


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LivingChain]:
    """Full on a stood-in CUDA device, distilled on a stood-in CPU, rules; all of it serving."""
    with LivingChain(tmp_path) as chain:
        chain.until_whole()
        yield chain
