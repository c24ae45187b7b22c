"""Children that say what no worker says, and hundreds of lives: the server believes nothing and keeps nothing."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import stepdown
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.adapters.worker_pool.process import WorkerProcess
from stepdown.domain.engine_events import BatchFailed, WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.reasons import Reason
from tests.fakes.worker_events import Told
from tests.faults.stand_in_worker import AFTER_READY, NONSENSE
from tests.faults.workers import batch, order, soon

NOTICED_S = 1.0  # generous for a loaded machine; on an idle one it is milliseconds

Start = Callable[..., ProcessWorkerPool]


# --- hostile children ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", sorted(NONSENSE))
def test_nonsense_instead_of_readiness_is_a_refusal(start: Start, told: Told, mode: str) -> None:
    start(mode).spawn(order())
    refused = told.next(WorkerRefused)
    assert refused.reason in {Reason.INTERNAL_FAULT, Reason.WORKER_LOST}
    told.next(WorkerExited)
    assert told.silent()


@pytest.mark.parametrize("mode", sorted(AFTER_READY))
def test_a_reply_to_nothing_that_was_asked_ends_the_worker_and_answers_nobody(
    start: Start, told: Told, mode: str
) -> None:
    pool = start(mode)
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch(sequence=1, slot=0))
    failed = told.next(object)
    if isinstance(failed, BatchFailed):
        assert failed.sequence == 1
        assert failed.sticky
        failed = told.next(WorkerExited)
    assert isinstance(failed, WorkerExited)
    assert "broke the protocol" in failed.detail
    assert told.silent()


def test_no_child_can_change_what_was_verified_or_shrink_what_is_shared(
    start: Start, told: Told, log: list[str]
) -> None:
    start("tampers").spawn(order())
    told.next(WorkerReady)
    assert soon(lambda: any("refused 4 of 4" in line for line in log))


def test_a_chattering_worker_is_bounded_and_its_escapes_are_taken_out(start: Start, told: Told, log: list[str]) -> None:
    start("chatters").spawn(order())
    told.next(WorkerReady)
    assert soon(lambda: any("further lines" in line for line in log))
    assert len(log) < 300
    assert all(len(line) < 600 and "\x1b" not in line for line in log)
    assert log[0].endswith("line 0")


def test_a_worker_sees_nothing_of_the_servers_environment_and_stands_in_an_empty_folder(
    start: Start, told: Told, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPDOWN_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    start("tells its surroundings").spawn(order())
    told.next(WorkerReady)
    assert soon(lambda: any("environment" in line for line in log))
    seen = json.loads(log[0].partition(": ")[2])
    assert "STEPDOWN_KEY" not in seen["environment"]
    assert "CUDA_VISIBLE_DEVICES" in seen["environment"]
    assert seen["folder"] == []


def test_a_refusal_in_too_many_words_is_cut_and_fit_for_a_terminal(start: Start, told: Told) -> None:
    start("refuses in many words").spawn(order())
    detail = told.next(WorkerRefused).detail
    assert len(detail) < 700
    assert detail.isprintable()


# --- releases and floods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "named"), [("is ready as another release", "9.9.9"), ("is ready as no release", "no name")]
)
def test_a_worker_of_another_release_is_refused_and_both_are_named(
    make: Start, told: Told, mode: str, named: str
) -> None:
    make(mode).spawn(order())
    refused = told.next(WorkerRefused)
    assert refused.reason is Reason.INTERNAL_FAULT
    assert named in refused.detail
    assert stepdown.__version__ in refused.detail
    assert "restart the server" in refused.detail
    told.next(WorkerExited)


def test_a_worker_refuses_a_server_of_another_release(make: Start, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepdown, "__version__", "0.0.9")
    make().spawn(order())
    refused = told.next(WorkerRefused)
    assert "the running server is of 0.0.9: restart the server" in refused.detail
    told.next(WorkerExited)


def test_a_worker_that_floods_its_errors_is_read_slowly_and_the_others_are_heard(
    make: Start, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read_errors = WorkerProcess.read_errors

    def counted(process: WorkerProcess) -> bytes | None:
        reads.append(process.pid)
        return read_errors(process)

    monkeypatch.setattr(WorkerProcess, "read_errors", counted)
    pool = make("floods its errors")
    pool.spawn(order())
    pid = told.next(WorkerReady).report.pid
    assert soon(lambda: len(reads) > 2)
    before, began_s = len(reads), time.monotonic()
    time.sleep(1.0)
    assert len(reads) - before < 40 * (time.monotonic() - began_s)
    os.kill(pid, signal.SIGKILL)
    assert told.next(WorkerExited).reason is Reason.WORKER_LOST


def test_descriptors_that_a_worker_pushes_at_the_server_are_not_taken(make: Start, told: Told) -> None:
    pool = make("hands over descriptors")
    held = holdings()
    for worker in range(10):
        pool.spawn(order(worker))
        told.next(WorkerRefused)
        told.next(WorkerExited)
    assert soon(lambda: holdings() == held)


# --- nothing leaks ---------------------------------------------------------------------------------------------------


def holdings() -> tuple[int, int, int]:
    """Descriptors, threads and children of this process."""
    children = sum(len((task / "children").read_text().split()) for task in Path("/proc/self/task").iterdir())
    return len(tuple(Path("/proc/self/fd").iterdir())), threading.active_count(), children


def test_closing_in_the_middle_of_everything_leaves_nothing_behind(start: Start, told: Told) -> None:
    before = holdings()
    pool = start()
    for worker in range(6):
        pool.spawn(order(worker))
    told.next(WorkerReady)
    pool.close()
    assert holdings() == before
    assert not any(name.startswith("stepdown") for name in os.listdir("/dev/shm"))  # noqa: PTH208, S108
