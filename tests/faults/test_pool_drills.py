"""Faults put into real workers by their own pool: refused where not permitted, one at a time, and never left behind."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool.life import WorkerLife
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault, InjectedFault
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.reasons import Reason
from stepdown.worker.order import WorkerResources
from tests.fakes.worker_events import Told
from tests.faults.conftest import STAND_IN
from tests.faults.workers import batch, order, soon


class Drilled:
    """A pool with one worker that serves, and how its drills ended."""

    def __init__(self, told: Told, **options: object) -> None:
        self.told = told
        self.ended: list[tuple[str, str]] = []
        settings: dict[str, object] = {
            "resources": WorkerResources(threads=1),
            "warm_up_s": 0.01,
            "drills_permitted": True,
            "drill_ended": self._end,
        }
        self.pool = ProcessWorkerPool(told, WorkerPoolOptions(**(settings | options)))  # type: ignore[arg-type]
        self.pool.spawn(order())
        self.pid = told.next(WorkerReady).report.pid

    def inject(self, fault: InjectableFault, *, duration_s: float = 30.0, delay_s: float = 0.0) -> InjectedFault:
        return self.pool.inject(
            FaultInjection(pathway="ward", tier="tiny", fault=fault, duration_s=duration_s, delay_s=delay_s)
        )

    def _end(self, injected: InjectedFault, how: str) -> None:
        self.ended.append((injected.injection.fault.value, how))


@contextmanager
def drilled(told: Told, **options: object) -> Iterator[Drilled]:
    made = Drilled(told, **options)
    try:
        yield made
    finally:
        made.pool.close()


def test_a_pool_that_permits_no_drills_hurts_nobody(told: Told) -> None:
    with drilled(told, drills_permitted=False) as one:
        with pytest.raises(DrillRefusedError, match="permits no drills"):
            one.inject(InjectableFault.WORKER_KILLED)
        one.pool.dispatch(batch())
        told.next(BatchCompleted)


def test_a_worker_that_may_not_rehearse_takes_a_drill_for_an_attack_and_ends(told: Told) -> None:
    """The stand-in's order says no; only a pool that was tampered with would send the frame."""
    with drilled(told, drills_permitted=False) as one:
        object.__setattr__(one.pool._drills._options, "drills_permitted", True)  # noqa: SLF001 - the tampering
        one.inject(InjectableFault.OUTPUT_WRONG)
        assert told.exit().detail == "ended with exit code 4"


def test_a_killed_worker_looks_like_one_that_died_by_itself(told: Told) -> None:
    with drilled(told) as one:
        injected = one.inject(InjectableFault.WORKER_KILLED)
        assert injected.end_time_s == injected.start_time_s
        assert told.exit().detail == "ended by SIGKILL"
        assert one.pool.injected() == ()
        assert one.ended == [("WORKER_KILLED", "done")]


def test_a_stopped_worker_goes_on_by_itself_when_the_drill_is_over(told: Told) -> None:
    with drilled(told) as one:
        one.inject(InjectableFault.WORKER_STOPPED, duration_s=0.3)
        one.pool.dispatch(batch())
        assert [each.injection.fault for each in one.pool.injected()] == [InjectableFault.WORKER_STOPPED]
        assert soon(lambda: Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        told.next(BatchCompleted)
        assert soon(lambda: one.ended == [("WORKER_STOPPED", "taken back")])
        assert one.pool.injected() == ()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (InjectableFault.STICKY_ERROR, Reason.EXECUTION_FAILED),
        (InjectableFault.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY),
    ],
)
def test_an_injected_error_fails_each_batch_until_it_is_taken_back(
    told: Told, fault: InjectableFault, reason: Reason
) -> None:
    with drilled(told) as one:
        one.inject(fault, duration_s=0.3)
        one.pool.dispatch(batch(sequence=1))
        failed = told.next(BatchFailed)
        assert (failed.reason, failed.sticky, "drill" in failed.detail) == (reason, True, True)
        assert soon(lambda: one.ended == [(fault.value, "taken back")])
        one.pool.dispatch(batch(sequence=2))
        assert told.next(BatchCompleted).sequence == 2


def test_not_a_number_is_caught_by_the_output_check_and_half_the_truth_is_not(told: Told) -> None:
    with drilled(told) as one:
        one.inject(InjectableFault.OUTPUT_NAN, duration_s=0.2)
        one.pool.dispatch(batch(sequence=1))
        assert told.next(BatchCompleted).results[0].reason is Reason.OUTPUT_INVALID
        assert soon(lambda: bool(one.ended))
        one.inject(InjectableFault.OUTPUT_WRONG)
        one.pool.dispatch(batch(sequence=2))
        assert told.next(BatchCompleted).results[0].reason is None


def test_a_slow_worker_takes_its_delay(told: Told) -> None:
    with drilled(told) as one:
        one.inject(InjectableFault.WORKER_SLOW, delay_s=0.2)
        one.pool.dispatch(batch())
        assert told.next(BatchCompleted).compute_s >= 0.2


def test_an_abort_takes_the_process_and_the_drill_with_it(told: Told) -> None:
    with drilled(told) as one:
        one.inject(InjectableFault.ABORT)
        one.pool.dispatch(batch(sequence=1))
        assert "SIGABRT" in told.exit(1).detail
        assert soon(lambda: one.ended == [("ABORT", "its process ended")])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (InjectableFault.PROVIDER_LOST, Reason.PROVIDER_UNAVAILABLE),
        (InjectableFault.PLACEMENT_LOST, Reason.PLACEMENT_TOO_LOW),
    ],
)
def test_a_lost_device_is_lost_to_every_successor_until_it_is_given_back(
    told: Told, fault: InjectableFault, reason: Reason
) -> None:
    with drilled(told) as one:
        one.inject(fault, duration_s=3.0)
        assert told.exit().detail == "ended by SIGKILL"
        one.pool.spawn(order(2))
        assert told.next(WorkerRefused).reason is reason
        told.next(WorkerExited)
        assert [each.injection.fault for each in one.pool.injected()] == [fault]
        assert soon(lambda: one.ended == [(fault.value, "taken back")])
        one.pool.spawn(order(3))
        told.next(WorkerReady)


def test_a_tier_has_one_fault_at_a_time_and_needs_a_worker_that_serves(told: Told) -> None:
    with drilled(told) as one:
        one.inject(InjectableFault.OUTPUT_NAN)
        with pytest.raises(DrillRefusedError, match="active"):
            one.inject(InjectableFault.ABORT)
        os.kill(one.pid, signal.SIGKILL)
        told.exit()
        with pytest.raises(DrillRefusedError, match="no worker"):
            one.inject(InjectableFault.ABORT)


def test_a_worker_that_cannot_be_reached_has_no_fault(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    with drilled(told, program=(sys.executable, str(STAND_IN), "serves")) as one:
        monkeypatch.setattr(WorkerLife, "suffer", lambda *_: False)
        with pytest.raises(DrillRefusedError, match="reached"):
            one.inject(InjectableFault.OUTPUT_NAN)
        assert one.pool.injected() == ()
        assert one.ended == []
