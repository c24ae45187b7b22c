"""Hundreds of lives, good and bad ones: whatever became of a worker, nothing of it is left in the server."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.adapters.worker_pool.process import WorkerProcess
from stepdown.domain.engine_effects import KillWorker
from stepdown.domain.engine_events import WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.tiers import ExecutionProvider
from tests.fakes.bundles import MEMORY, bundle
from tests.fakes.worker_events import Told
from tests.faults.living_chain import CPU, CUDA, LivingChain
from tests.faults.workers import batch, gone, order, soon

FAILED_LOADS = 100
AT_ONCE = 20

Make = Callable[..., ProcessWorkerPool]


def holdings(pool: ProcessWorkerPool) -> dict[str, int]:
    """Everything that a worker could leave behind, in this process and around it."""
    children = sum(len((task / "children").read_text().split()) for task in Path("/proc/self/task").iterdir())
    mapped = sum("/memfd:stepdown" in line for line in Path("/proc/self/maps").read_text().splitlines())
    loop = pool._loop  # noqa: SLF001 - entries that nobody takes out are seen nowhere else
    return {
        "descriptors": len(tuple(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "children, zombies among them": children,
        "memory files": mapped,
        "shared memory": len(tuple(Path("/dev/shm").glob("stepdown*"))),  # noqa: S108
        "files where workers stand": len(tuple(pool._folder.path.iterdir())),  # noqa: SLF001
        "workers": len(pool._lives),  # noqa: SLF001
        "listeners": len(loop._listeners),  # noqa: SLF001
        "deadlines": len(loop._deadlines),  # noqa: SLF001
        "faults": len(pool.injected()),
    }


def different(held: dict[str, int], now: dict[str, int]) -> dict[str, tuple[int, int]]:
    """What is no longer as it was."""
    return {what: (held[what], now[what]) for what in held if held[what] != now[what]}


def in_turns(pool: ProcessWorkerPool, told: Told, *, on: tuple[ExecutionProvider, ...], kill: bool) -> None:
    """A hundred workers that come to nothing, some at a time."""
    for first in range(0, FAILED_LOADS, AT_ONCE):
        for worker in range(first, first + AT_ONCE):
            pool.spawn(order(worker, on=on))
        if kill:
            assert soon(lambda: all(life._attempt is not None for life in tuple(pool._lives.values())))  # noqa: SLF001
            for worker in range(first, first + AT_ONCE):
                pool.kill(KillWorker(worker=worker, detail="during its load"))
        ended = 0
        while ended < AT_ONCE:
            ended += isinstance(told.next(object), WorkerExited)


@pytest.mark.parametrize(
    ("mode", "kill"),
    [
        ("is refused and stays", False),
        ("exits", False),
        ("aborts", False),
        ("hangs", True),
        ("has a child while loading", True),
    ],
    ids=("refused", "left while loading", "crashed while loading", "killed while loading", "killed with a child"),
)
def test_a_hundred_failed_loads_leave_nothing(make: Make, told: Told, mode: str, *, kill: bool) -> None:
    pool = make(mode)
    held = holdings(pool)
    in_turns(pool, told, on=(ExecutionProvider.CPU,), kill=kill)
    assert soon(lambda: holdings(pool) == held), different(held, holdings(pool))


def test_a_hundred_abandoned_processes_leave_nothing_once_they_end(
    make: Make, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make("is refused and stays", ending_s=0.05)
    held = holdings(pool)
    unkillable: list[WorkerProcess] = []
    kill = WorkerProcess.kill

    def remembered(process: WorkerProcess) -> None:
        unkillable.append(process)

    monkeypatch.setattr(WorkerProcess, "kill", remembered)
    for worker in range(FAILED_LOADS // 2):
        pool.spawn(order(worker, on=(CUDA, CPU)))
    for _ in range(FAILED_LOADS // 2):
        told.next(WorkerRefused, timeout_s=60)
    monkeypatch.undo()
    assert len(set(map(id, unkillable))) == FAILED_LOADS
    while unkillable:  # a process that somebody holds keeps its memory
        kill(unkillable.pop())
    for _ in range(FAILED_LOADS // 2):
        told.next(WorkerExited)
    assert soon(lambda: holdings(pool) == held), different(held, holdings(pool))


def test_a_hundred_bundles_that_no_process_is_started_for_leave_nothing(make: Make, told: Told) -> None:
    pool = make("hangs")
    held = holdings(pool)
    good = bundle(MEMORY)
    bare = good.__class__(manifest=good.manifest, files={}, signers=(), sha256="")
    for worker in range(FAILED_LOADS):
        pool.spawn(order(worker, loads=bare))
        told.next(WorkerRefused)
        told.next(WorkerExited)
    assert soon(lambda: holdings(pool) == held), different(held, holdings(pool))


def test_a_hundred_good_loads_killed_at_work_leave_nothing(make: Make, told: Told) -> None:
    pool = make("idles")
    held = holdings(pool)
    for worker in range(FAILED_LOADS):
        pool.spawn(order(worker))
        told.next(WorkerReady)
        pool.dispatch(batch(worker=worker))
        pool.kill(KillWorker(worker=worker, detail="at work"))
        told.next(WorkerExited)
    assert soon(lambda: holdings(pool) == held), different(held, holdings(pool))


def test_a_chain_whose_workers_die_again_and_again_keeps_no_trace_of_them(chain: LivingChain) -> None:
    def traces() -> dict[str, int]:
        supervision = chain.engine._supervision  # noqa: SLF001 - entries that nobody takes out are seen nowhere else
        tiers = [tier for pathway in chain.engine.pathways.values() for tier in pathway.tiers]
        return holdings(chain.pool) | {
            "tiers of workers": len(supervision.tier_of_worker),
            "dying": sum(len(tier.dying) for tier in tiers),
            "flights": sum(len(tier.flights) for tier in tiers),
            "open requests": chain.engine.open_requests(),
        }

    held = traces()
    for _ in range(12):
        chain.signal("full", signal.SIGKILL)
        chain.until(lambda: chain.status("full").worker_pid is None)
        chain.driver.disable_tier("ward", "full", detail="between")
        chain.driver.enable_tier("ward", "full")
        chain.send(4)
        chain.until(lambda: chain.status("full").worker_pid is not None)
    chain.until_whole()
    assert soon(lambda: traces() == held), different(held, traces())


def test_what_a_worker_started_ends_with_it(make: Make, told: Told, log: list[str]) -> None:
    pool = make("has a child")
    pool.spawn(order())
    told.next(WorkerReady)
    assert soon(lambda: any("child" in line for line in log))
    child = int(next(line for line in log if "child" in line).split()[-1])
    assert not gone(child)
    pool.kill(KillWorker(worker=1, detail=""))
    told.next(WorkerExited)
    assert soon(lambda: gone(child))
