"""Cores, memory, processes and descriptors: what each worker may have, who pays when it runs out, and what is left."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepdown.adapters.worker_pool.limits import ACCELERATOR_OOM_SCORE, CPU_OOM_SCORE, confine
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import WorkerResources
from tests.fakes.bundles import MEMORY, bundle
from tests.fakes.worker_events import Told
from tests.faults.control_groups import cpu_group, memory_group
from tests.faults.living_chain import LivingChain
from tests.faults.running_server import RunningServer, running_server
from tests.faults.workers import batch, gone, order, soon

STAND_IN = Path(__file__).with_name("stand_in_worker.py")
MEBIBYTE = 1 << 20
LIMIT_BYTES = 512 * MEBIBYTE
FAILED_LOADS = 100
AT_ONCE = 20

Make = Callable[..., ProcessWorkerPool]


def limited(memory_bytes: int = LIMIT_BYTES) -> WorkerResources:
    return WorkerResources(threads=1, memory_bytes=memory_bytes)


# --- memory ----------------------------------------------------------------------------------------------------------


def test_a_model_that_asks_for_more_than_its_limit_is_refused_memory_and_no_other_worker_notices(
    make: Make, told: Told
) -> None:
    pool = make(resources=limited())
    pool.spawn(order(1, loads=bundle(MEMORY)))
    pool.spawn(order(2))
    told.both(WorkerReady)
    within, beyond = (np.array([[floats]], np.int64) for floats in (10**6, 10**9))
    pool.dispatch(batch(within, worker=1))
    told.next(BatchCompleted)
    pool.dispatch(batch(beyond, worker=1, sequence=2))  # 4 GB, which this machine may well have
    failed = told.next(BatchFailed)
    assert (failed.reason, failed.sticky) == (Reason.OUT_OF_MEMORY, True)
    pool.dispatch(batch(worker=2, sequence=5))
    assert told.next(BatchCompleted).sequence == 5


def test_memory_that_runs_out_while_loading_is_a_refusal_that_says_so(make: Make, told: Told) -> None:
    make("eats memory while loading", resources=limited()).spawn(order())
    refused = told.next(WorkerRefused)
    assert refused.reason is Reason.OUT_OF_MEMORY
    assert "MemoryError" in refused.detail
    assert told.next(WorkerExited).reason is Reason.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("eats memory in a batch", Reason.OUT_OF_MEMORY), ("aborts in a batch", Reason.WORKER_LOST)],
)
def test_a_death_for_want_of_memory_is_told_from_a_crash(make: Make, told: Told, mode: str, reason: Reason) -> None:
    pool = make(mode, resources=limited())
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch())
    ended = told.exit(1)
    assert ended.reason is reason
    assert "SIGABRT" in ended.detail
    assert ("want of memory" in ended.detail) is (reason is Reason.OUT_OF_MEMORY)


def test_workers_die_before_the_server_and_that_of_an_accelerator_first(make: Make, told: Told) -> None:
    pool = make(resources=limited())
    pool.spawn(order(1, on=(ExecutionProvider.CUDA, ExecutionProvider.CPU)))
    accelerated = told.next(WorkerReady).report.pid
    pool.spawn(order(2))
    pid = told.next(WorkerReady).report.pid
    scores = [int(Path(f"/proc/{each}/oom_score_adj").read_text()) for each in ("self", pid, accelerated)]
    assert scores == sorted(set(scores)) or scores[-1] == 1000
    assert resource.prlimit(pid, resource.RLIMIT_DATA) == (LIMIT_BYTES, LIMIT_BYTES)


def holder(score: int, folder: Path, *, mebibytes: int) -> "subprocess.Popen[bytes]":
    """A process in a group that holds so much memory and waits."""
    program = f"input(); held = b'1' * ({mebibytes} << 20); print(1, flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    (folder / "cgroup.procs").write_text(str(child.pid))
    assert list(confine(child.pid, memory_bytes=0, oom_score=score)) == []
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    assert child.stdout.readline() == b"1\n"
    return child


def test_when_the_kernel_must_kill_the_accelerators_worker_goes_and_the_others_stay() -> None:
    with memory_group(300 * MEBIBYTE) as folder, ExitStack() as ended:
        server = holder(0, folder, mebibytes=50)
        cpu = holder(CPU_OOM_SCORE, folder, mebibytes=30)
        accelerator = holder(ACCELERATOR_OOM_SCORE, folder, mebibytes=100)
        for child in (server, cpu, accelerator):
            ended.enter_context(child)
            ended.callback(child.kill)
        glutton = holder(0, folder, mebibytes=150)  # the largest, which the kernel would choose by itself
        ended.enter_context(glutton)
        ended.callback(glutton.kill)
        assert accelerator.wait(10) == -signal.SIGKILL
        assert [child.poll() for child in (server, cpu, glutton)] == [None, None, None]


def test_a_worker_that_the_kernel_killed_for_its_memory_is_told_from_one_that_was_killed(
    make: Make, told: Told
) -> None:
    with memory_group(100 * MEBIBYTE) as folder:
        pool = make("is killed by the kernel for its memory")
        pool.spawn(order())
        (folder / "cgroup.procs").write_text(str(told.next(WorkerReady).report.pid))
        pool.dispatch(batch())
        starved = told.exit(1)
        assert (starved.reason, "want of memory" in starved.detail) == (Reason.OUT_OF_MEMORY, True)
    pool.spawn(order(2))
    os.kill(told.next(WorkerReady).report.pid, signal.SIGKILL)
    assert told.next(WorkerExited).reason is Reason.WORKER_LOST


def test_a_worker_that_starves_costs_its_tier_with_that_reason_and_not_the_next(chain: LivingChain) -> None:
    distilled = chain.status("distilled").worker_pid
    chain.device("full").breaks(run="starves")
    chain.until_answered_by("distilled")
    chain.until(lambda: chain.faults("full"))
    assert chain.faults("full")[0].reason is Reason.OUT_OF_MEMORY
    assert chain.status("distilled").worker_pid == distilled
    chain.device("full").mends()
    chain.until_answered_by("full")


# --- processors ------------------------------------------------------------------------------------------------------


def test_a_process_under_a_real_quota_counts_what_it_may_use() -> None:
    program = "input(); from stepdown.worker.processors import allowed_processors; print(allowed_processors())"
    with cpu_group(quota_us=150_000, period_us=100_000) as folder:
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        (folder / "cgroup.procs").write_text(str(child.pid))
        said, _ = child.communicate(b"\n", timeout=60)
    assert said == b"1\n"


# --- a whole server --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    def with_limits(settings: dict[str, Any]) -> None:
        core = max(os.sched_getaffinity(0))
        for tier in settings["pathway"][0]["tier"][:2]:
            tier |= {"memory_mib": 900, "cores": [core]}

    with running_server(with_limits) as server:
        server.until_capable("FULL")
        yield server


def test_status_tells_what_each_worker_may_use_and_the_kernel_says_the_same(server: RunningServer) -> None:
    core = max(os.sched_getaffinity(0))
    for name in ("full", "distilled"):
        tier = server.tier(name)
        assert tier["share"] == {"threads": 1, "cores": [core], "memory_bytes": 900 * MEBIBYTE}
        assert os.sched_getaffinity(tier["worker_pid"]) == {core}
        assert resource.prlimit(tier["worker_pid"], resource.RLIMIT_DATA)[0] == 900 * MEBIBYTE
    assert server.tier("rules")["share"] is None


def test_workers_of_a_server_that_was_killed_end_within_a_second(server: RunningServer) -> None:
    server.until_capable("FULL")
    pids = [int(server.tier(name)["worker_pid"]) for name in ("full", "distilled")]
    os.kill(pids[0], signal.SIGSTOP)  # one that could not end by itself
    server.process.kill()
    assert soon(lambda: all(map(gone, pids)), within_s=1.0)
