"""Real processes, real signals: what happens to a worker must never happen to the server, nor go unnoticed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import KillWorker
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from tests.fakes.bundles import ECHO, LOOKUP, MEMORY, bundle, with_model
from tests.fakes.worker_events import Told
from tests.faults.workers import batch, gone, order, soon

NOTICED_S = 5.0  # for a machine with ten times its load; on an idle one it is milliseconds

Start = Callable[..., ProcessWorkerPool]


# --- signals and deaths ----------------------------------------------------------------------------------------------


def test_a_worker_killed_in_a_batch_is_noticed_at_once(start: Start, told: Told) -> None:
    pool = start()
    pool.spawn(order())
    pid = told.next(WorkerReady).report.pid
    os.kill(pid, signal.SIGSTOP)
    pool.dispatch(batch())
    os.kill(pid, signal.SIGKILL)
    noticed_from_s = time.monotonic()
    assert "SIGKILL" in told.exit(1).detail
    assert time.monotonic() - noticed_from_s < NOTICED_S
    assert told.silent()


def test_a_stopped_worker_answers_nothing_and_can_be_killed(start: Start, told: Told) -> None:
    pool = start()
    pool.spawn(order())
    pid = told.next(WorkerReady).report.pid
    os.kill(pid, signal.SIGSTOP)
    pool.dispatch(batch(slot=0))
    pool.dispatch(batch(sequence=2, slot=1))
    pool.kill(KillWorker(worker=1, detail="watchdog"))
    assert told.next(WorkerExited).detail == "ended by SIGKILL; watchdog"
    assert gone(pid)
    assert told.silent()


def test_a_worker_that_ignores_every_signal_it_can_is_killed_all_the_same(start: Start, told: Told) -> None:
    pool = start("ignores signals")
    pool.spawn(order())
    told.next(WorkerReady)
    pool.kill(KillWorker(worker=1, detail=""))
    assert "SIGKILL" in told.next(WorkerExited).detail


def test_a_worker_that_hangs_up_but_lives_owes_nothing_and_is_ended(start: Start, told: Told) -> None:
    pool = start("hangs up")
    pool.spawn(order())
    pid = told.next(WorkerReady).report.pid
    pool.dispatch(batch(sequence=7))
    told.exit(7)
    assert gone(pid)


def test_workers_end_with_the_server_however_it_ends(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from stepdown.adapters.worker_pool.pool import ProcessWorkerPool\n"
        "from tests.faults.workers import order\n"
        "pool = ProcessWorkerPool(lambda events: print(events[0].report.pid, flush=True))\n"
        "pool.spawn(order())\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        worker = int(server.stdout.readline())
        # A worker that waits would see its doorbell close; one that is busy, or stopped, must end all the same.
        os.kill(worker, signal.SIGSTOP)
        server.kill()
    assert soon(lambda: gone(worker))


# --- loading ---------------------------------------------------------------------------------------------------------


def test_a_crash_while_loading_is_a_refusal_with_the_workers_last_words(start: Start, told: Told) -> None:
    start("exits").spawn(order())
    refused = told.next(WorkerRefused)
    assert refused.reason is Reason.WORKER_LOST
    assert "exit code 1" in refused.detail
    assert "no such library" in refused.detail
    told.next(WorkerExited)
    assert told.silent()


def test_an_abort_while_loading_takes_only_the_worker(start: Start, told: Told) -> None:
    start("aborts").spawn(order())
    refused = told.next(WorkerRefused)
    assert (refused.reason, "SIGABRT" in refused.detail) == (Reason.WORKER_LOST, True)
    told.next(WorkerExited)


def test_each_provider_has_its_own_process_and_the_next_is_tried_after_a_crash(start: Start, told: Told) -> None:
    start("aborts").spawn(order(on=(ExecutionProvider.CUDA, ExecutionProvider.MIGRAPHX, ExecutionProvider.CPU)))
    refused = told.next(WorkerRefused)
    for provider in ("CUDA", "MIGraphX", "CPU"):
        assert f"{provider}: WORKER_LOST" in refused.detail
    told.next(WorkerExited)
    assert told.silent()


@pytest.mark.parametrize("mode", ["hangs", "says nothing and hangs up"])
def test_a_load_that_does_not_end_is_ended(start: Start, told: Told, mode: str) -> None:
    start(mode, load_timeout_s=0.3).spawn(order())
    refused = told.next(WorkerRefused)
    assert refused.reason in {Reason.WORKER_HUNG, Reason.WORKER_LOST}
    assert "SIGKILL" in told.next(WorkerExited).detail


def test_a_provider_that_is_not_on_this_machine_is_refused_by_name(start: Start, told: Told) -> None:
    start().spawn(order(on=(ExecutionProvider.ROCM,)))
    refused = told.next(WorkerRefused)
    assert refused.reason is Reason.PROVIDER_UNAVAILABLE
    assert "ROCMExecutionProvider is not in ONNX Runtime" in refused.detail
    told.next(WorkerExited)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"files": {"model.onnx": b"not a model"}}, "protobuf"),
        ({"files": {}}, "lacks model.onnx"),
        ({"maximum_batch": 1 << 40}, "lower maximum_batch"),
        ({"outputs": ECHO.outputs[:1]}, "unknown ['atol.checks', 'output.checks']"),
    ],
    ids=("garbage", "no model", "too large a batch", "a manifest of another model"),
)
def test_a_bundle_no_worker_can_load_is_refused_with_the_cause(
    start: Start, told: Told, changed: dict[str, object], said: str
) -> None:
    good = bundle(ECHO)
    files = {"known_answers.npz": good.files["known_answers.npz"]} | changed.pop("files", dict(good.files))  # type: ignore[operator]
    bad = VerifiedBundle(manifest=with_model(good, **changed).manifest, files=files, signers=(), sha256="")
    start().spawn(order(loads=bad))
    assert said in told.next(WorkerRefused).detail
    told.next(WorkerExited)
    assert told.silent()


def test_weights_in_a_file_of_their_own_come_from_the_bundle_alone(start: Start, told: Told) -> None:
    pool = start()
    whole = bundle(LOOKUP, external="weights/table.bin")
    pool.spawn(order(1, loads=whole))
    told.next(WorkerReady)
    pool.spawn(order(2, loads=with_model(whole, external_data=())))
    refused = told.next(WorkerRefused)
    assert refused.reason is Reason.EXECUTION_FAILED
    assert "weights/table.bin" in refused.detail
    told.next(WorkerExited)


# --- executions ------------------------------------------------------------------------------------------------------


def test_a_failed_run_costs_its_batch_and_not_the_worker_and_quotes_no_value(start: Start, told: Told) -> None:
    pool = start()
    pool.spawn(order(loads=bundle(LOOKUP)))
    told.next(WorkerReady)
    pool.dispatch(batch(np.array([[98_765]], np.int64), sequence=1))
    failed = told.next(BatchFailed)
    assert (failed.reason, failed.sticky) == (Reason.INPUT_UNSUITABLE, False)
    assert "out of data bounds" in failed.detail
    assert "98765" not in failed.detail
    pool.dispatch(batch(np.array([[2]], np.int64), sequence=2))
    assert told.next(BatchCompleted).sequence == 2


def test_a_failed_run_leaves_nothing_of_its_input_in_the_log(start: Start, told: Told, log: list[str]) -> None:
    pool = start()
    pool.spawn(order(loads=bundle(LOOKUP)))
    told.next(WorkerReady)
    pool.dispatch(batch(np.array([[98_765]], np.int64)))
    told.next(BatchFailed)
    pool.kill(KillWorker(worker=1, detail=""))
    told.next(WorkerExited)
    assert not any("98765" in line for line in log)


def test_running_out_of_memory_is_sticky_and_hurts_no_other_worker(start: Start, told: Told) -> None:
    pool = start()
    pool.spawn(order(1, loads=bundle(MEMORY)))
    pool.spawn(order(2))
    told.both(WorkerReady)
    pool.dispatch(batch(np.array([[10**13]], np.int64), worker=1))
    failed = told.next(BatchFailed)
    assert (failed.reason, failed.sticky) == (Reason.OUT_OF_MEMORY, True)
    pool.dispatch(batch(worker=2, sequence=5))
    assert told.next(BatchCompleted).sequence == 5
