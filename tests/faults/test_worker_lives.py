"""What comes between an order and its end when the operating system does not play along."""

import errno
import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool import life as life_room
from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.adapters.worker_pool.options import WORKER_PROGRAM, WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.adapters.worker_pool.process import ProcessPlan, WorkerProcess, start_process
from stepdown.domain.bundles import BundleKind, VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import BatchFailed, WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import WorkerResources
from tests.fakes.bundles import ECHO, bundle
from tests.fakes.worker_events import PATIENCE_S, Told
from tests.faults.workers import soon

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in_worker.py")))
CUDA_THEN_CPU = (ExecutionProvider.CUDA, ExecutionProvider.CPU)


def pool(told: Told, log: list[str], program: tuple[str, ...], *, ending_s: float = 5.0) -> ProcessWorkerPool:
    return ProcessWorkerPool(told, WorkerPoolOptions(program=program, ending_s=ending_s, log=log.append))


@pytest.fixture
def refused(told: Told, log: list[str]) -> Iterator[ProcessWorkerPool]:
    """A pool whose workers are all refused, and do not end by themselves."""
    made = pool(told, log, (*STAND_IN, "is refused and stays"), ending_s=0.1)
    yield made
    made.close()


def order(loads: VerifiedBundle | None = None, *, on: tuple[ExecutionProvider, ...] = CUDA_THEN_CPU) -> SpawnWorker:
    return SpawnWorker(worker=1, pathway="ward", tier="tiny", bundle=loads or bundle(ECHO), execution_providers=on)


def batch() -> DispatchBatch:
    payload = TensorRows(rows=1, tensors=(bytes(12),))
    return DispatchBatch(worker=1, slot=0, sequence=4, kind=BatchKind.LIVE, payloads=(payload,))


def test_a_refused_process_that_does_not_end_is_left_behind_and_the_next_provider_tried(
    refused: ProcessWorkerPool, told: Told, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[WorkerProcess] = []
    kill = WorkerProcess.kill

    def remembered(process: WorkerProcess) -> None:
        if process not in processes:
            processes.append(process)

    monkeypatch.setattr(WorkerProcess, "kill", remembered)
    refused.spawn(order())
    assert told.next(WorkerRefused).detail == "CUDA: OUT_OF_MEMORY, full; CPU: OUT_OF_MEMORY, full"
    assert any("left behind" in line for line in log)
    first, second = processes
    assert first.ending() is None
    kill(first)
    kill(second)
    told.next(WorkerExited)
    assert soon(lambda: first.ending() is not None)
    assert first.ending() == "ended by SIGKILL"


def test_closing_does_not_wait_for_a_process_that_does_not_end(
    told: Told, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pool(told, log, (*STAND_IN, "serves"), ending_s=0.1)
    made.spawn(order())
    pid = told.next(WorkerReady).report.pid
    monkeypatch.setattr(WorkerProcess, "ending", lambda _: None)
    began_s = time.monotonic()
    made.close()
    assert time.monotonic() - began_s < PATIENCE_S / 2
    assert told.silent()
    os.waitpid(pid, 0)


def test_without_room_for_a_process_the_worker_is_gone_and_says_why(
    refused: ProcessWorkerPool, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_plan: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(life_room, "start_process", refuse)
    refused.spawn(order())
    assert "could not be started" in told.next(WorkerExited).detail
    assert told.silent()


def test_a_process_nobody_can_listen_to_is_ended_and_the_worker_gone(
    refused: ProcessWorkerPool, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[WorkerProcess] = []

    def remembered(plan: ProcessPlan) -> WorkerProcess:
        processes.append(start_process(plan))
        return processes[-1]

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(life_room, "start_process", remembered)
    monkeypatch.setattr(ListeningLoop, "watch", refuse)
    refused.spawn(order())
    assert "could not be listened to" in told.next(WorkerExited).detail
    assert told.silent()
    assert soon(lambda: processes[0].ending() == "ended by SIGKILL")


def test_a_worker_without_a_provider_never_starts(refused: ProcessWorkerPool, told: Told) -> None:
    refused.spawn(order(on=()))
    assert told.next(WorkerExited).detail == "never started"


def test_a_bundle_of_rules_is_refused(refused: ProcessWorkerPool, told: Told) -> None:
    good = bundle(ECHO).manifest
    rules = good.__class__(
        name="rules",
        version="1.0.0",
        kind=BundleKind.RULES,
        tier_role=good.tier_role,
        minimum_server_version="0.1.0",
        parent_version="",
        description="",
    )
    refused.spawn(order(VerifiedBundle(manifest=rules, files={}, signers=(), sha256="")))
    assert "holds no model" in told.next(WorkerRefused).detail
    told.next(WorkerExited)


def test_killed_between_two_providers_the_second_is_never_tried(
    refused: ProcessWorkerPool, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []

    def counted(plan: ProcessPlan) -> WorkerProcess:
        starts.append(plan)
        refused.kill(KillWorker(worker=1, detail="operator"))
        return start_process(plan)

    monkeypatch.setattr(life_room, "start_process", counted)
    refused.spawn(order())
    assert told.next(WorkerExited).detail == "ended by SIGKILL; operator"
    assert len(starts) == 1
    assert told.silent()


def test_what_a_killed_worker_still_says_is_passed_on_to_nobody(
    told: Told, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pool(told, log, WORKER_PROGRAM)
    try:
        made.spawn(order(on=(ExecutionProvider.CPU,)))
        pid = told.next(WorkerReady).report.pid
        monkeypatch.setattr(WorkerProcess, "kill", lambda _: None)
        made.kill(KillWorker(worker=1, detail="watchdog"))
        made.dispatch(batch())
        with pytest.raises(queue.Empty):
            told.next(object, timeout_s=0.3)
        os.kill(pid, signal.SIGKILL)
        assert told.next(WorkerExited).detail == "ended by SIGKILL; watchdog"
    finally:
        monkeypatch.undo()
        made.close()


def test_a_batch_for_a_worker_that_is_not_ready_comes_back_as_lost(told: Told, log: list[str]) -> None:
    made = pool(told, log, (*STAND_IN, "hangs"))
    try:
        made.spawn(order())
        made.dispatch(batch())
        made.probe(DispatchProbe(worker=1, slot=1, sequence=5, case=0))
        lost = told.both(BatchFailed)
    finally:
        made.close()
    assert [(event.sequence, event.reason, event.sticky) for event in lost] == [
        (4, Reason.WORKER_LOST, True),
        (5, Reason.WORKER_LOST, True),
    ]


def test_resources_are_given_per_tier_and_else_for_all() -> None:
    own = WorkerResources(threads=1, niceness=10)
    options = WorkerPoolOptions(tier_resources={("ward", "full"): own}, resources=WorkerResources(threads=3))
    assert options.resources_of("ward", "full") is own
    assert options.resources_of("ward", "distilled").threads == 3
    assert WORKER_PROGRAM[-2:] == ("stepdown.worker", "serve")


def test_closing_from_inside_the_sink_is_possible(log: list[str]) -> None:
    made: list[ProcessWorkerPool] = []
    told = Told()

    def close_at_once(events: object) -> None:
        told(events)  # type: ignore[arg-type]
        made[0].close()

    made.append(ProcessWorkerPool(close_at_once, WorkerPoolOptions(program=(*STAND_IN, "serves"), log=log.append)))
    made[0].spawn(order())
    told.next(WorkerReady)
    told.next(WorkerExited)
    made[0].close()
