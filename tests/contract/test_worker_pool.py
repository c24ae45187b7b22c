"""What every worker pool promises the engine, asked of the one with processes and of its fake."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.bundles import TensorSpec, VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    ProbeCompleted,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import ExecutionProvider
from stepdown.ports import EventSink, WorkerPool
from stepdown.worker.order import WorkerResources
from tests.fakes.bundles import ECHO, archive, bundle, with_model
from tests.fakes.worker_events import Told
from tests.fakes.worker_pool import FakeWorkerPool

CPU = (ExecutionProvider.CPU,)
GOOD = (0.25, 0.0, 0.0)


def _process_pool(sink: EventSink) -> WorkerPool:
    return ProcessWorkerPool(sink, WorkerPoolOptions(resources=WorkerResources(threads=1), warm_up_s=0.01))


@pytest.fixture(params=(_process_pool, FakeWorkerPool), ids=("processes", "fake"))
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """A sink whose `pool` is the pool under test, closed afterwards."""
    sink = Told()
    make: Callable[[EventSink], WorkerPool] = request.param
    pool = make(sink)
    if isinstance(pool, FakeWorkerPool):
        sink.prompt = pool.deliver
    request.node.pool = pool
    yield sink
    pool.close()


@pytest.fixture
def pool(told: Told, request: pytest.FixtureRequest) -> WorkerPool:
    """The pool under test."""
    del told
    made: WorkerPool = request.node.pool
    return made


def order(
    worker: int = 1, *, loads: VerifiedBundle | None = None, on: tuple[ExecutionProvider, ...] = CPU
) -> SpawnWorker:
    return SpawnWorker(worker=worker, pathway="ward", tier="tiny", bundle=loads or bundle(ECHO), execution_providers=on)


def rows(*values: tuple[float, float, float]) -> TensorRows:
    return TensorRows(rows=len(values), tensors=(np.array(values, np.float32).tobytes(),))


def batch(*payloads: TensorRows, sequence: int = 1, slot: int = 0, worker: int = 1) -> DispatchBatch:
    return DispatchBatch(worker=worker, slot=slot, sequence=sequence, kind=BatchKind.LIVE, payloads=payloads)


def scores(result: RowsResult) -> list[float]:
    assert result.outputs is not None
    return [round(float(value), 6) for value in np.frombuffer(result.outputs["score"], np.float32)]


def test_a_worker_becomes_ready_with_proof_of_where_it_runs(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    ready = told.next(WorkerReady)
    assert ready.worker == 1
    assert ready.report.execution_provider is ExecutionProvider.CPU
    assert ready.report.pid > 0
    assert ready.report.placement_share == 1.0
    assert 0 <= ready.report.known_answer_error <= 1
    assert ready.report.latency_s[0][0] == 1


def test_a_provider_that_is_not_here_is_passed_over_for_the_next(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(on=(ExecutionProvider.ROCM, ExecutionProvider.CPU)))
    assert told.next(WorkerReady).report.execution_provider is ExecutionProvider.CPU


def test_without_any_usable_provider_it_is_refused_and_then_gone(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(on=(ExecutionProvider.ROCM,)))
    assert told.next(WorkerRefused).reason is Reason.PROVIDER_UNAVAILABLE
    assert told.next(WorkerExited).worker == 1
    assert told.silent()


def test_a_wrong_known_answer_refuses_the_worker(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(loads=bundle(ECHO, known_answers=ECHO.known_answers(offset=0.001))))
    assert told.next(WorkerRefused).reason is Reason.KNOWN_ANSWER_MISMATCH
    told.next(WorkerExited)


@pytest.mark.parametrize("malformed", [b"", b"PK\x03\x04 not an archive", archive({"input.values": np.zeros((1, 3))})])
def test_known_answers_that_cannot_be_read_refuse_the_worker(pool: WorkerPool, told: Told, malformed: bytes) -> None:
    pool.spawn(order(loads=bundle(ECHO, known_answers=malformed)))
    assert told.next(WorkerRefused).reason is Reason.KNOWN_ANSWER_MISMATCH
    told.next(WorkerExited)


def test_tensors_that_fit_no_mailbox_refuse_the_worker(pool: WorkerPool, told: Told) -> None:
    varying = with_model(bundle(ECHO), inputs=(TensorSpec(name="values", datatype="FP32", shape=(-1, -1)),))
    pool.spawn(order(loads=varying))
    assert "values" in told.next(WorkerRefused).detail
    told.next(WorkerExited)


def test_each_request_of_a_batch_gets_its_own_rows_in_order(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch(rows(GOOD, (0.5, 0, 0)), rows((0.75, 0, 0)), rows((1.0, 0, 0), (0.0, 0, 0), GOOD), sequence=42))
    done = told.next(BatchCompleted)
    assert (done.worker, done.sequence) == (1, 42)
    assert [scores(result) for result in done.results] == [[0.25, 0.5], [0.75], [1.0, 0.0, 0.25]]
    assert done.compute_s > 0


def test_both_slots_may_be_under_way_and_each_is_used_again(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    answered = {}
    for first in range(0, 20, 2):
        for slot in (0, 1):
            value = (first + slot) / 20
            pool.dispatch(batch(rows((value, 0, 0)), sequence=first + slot, slot=slot))
        for done in told.both(BatchCompleted):
            answered[done.sequence] = scores(done.results[0])
    assert answered == {number: [round(number / 20, 6)] for number in range(20)}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1.5, -0.001])
def test_an_output_that_is_no_lawful_number_costs_only_its_own_request(
    pool: WorkerPool, told: Told, bad: float
) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch(rows(GOOD), rows(GOOD, (bad, 0, 0)), rows(GOOD)))
    first, second, third = told.next(BatchCompleted).results
    assert (scores(first), scores(third)) == ([0.25], [0.25])
    assert (second.outputs, second.reason) == (None, Reason.OUTPUT_INVALID)
    assert "score" in second.detail


def test_an_input_that_the_graph_finds_unsuitable_is_named_by_its_check(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch(rows((0.5, 0, 3.0)), rows((0.5, 2.9, 2.9))))
    unsuitable, flagged = told.next(BatchCompleted).results
    assert (unsuitable.outputs, unsuitable.reason) == (None, Reason.INPUT_UNSUITABLE)
    assert "FLAT_LINE" in unsuitable.detail
    assert "EXTREME_VALUE" not in unsuitable.detail
    assert scores(flagged) == [0.5]


def test_a_probe_runs_a_known_answer_counted_round(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    for number in (0, 5, 12 + 5):
        pool.probe(DispatchProbe(worker=1, slot=1, sequence=100 + number, case=number))
        proved = told.next(ProbeCompleted)
        assert (proved.sequence, proved.error) == (100 + number, "")


@pytest.mark.parametrize(
    "payloads",
    [
        (rows(*[GOOD] * 9),),
        (TensorRows(rows=1, tensors=(b"short",)),),
        (TensorRows(rows=2, tensors=(bytes(12),)), TensorRows(rows=1, tensors=(bytes(12),))),
    ],
    ids=("more rows than a slot holds", "bytes missing", "rows that do not add up"),
)
def test_a_batch_that_does_not_fit_fails_as_an_event_and_harms_nothing(
    pool: WorkerPool, told: Told, payloads: tuple[TensorRows, ...]
) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    pool.dispatch(batch(*payloads, sequence=5))
    failed = told.next(BatchFailed)
    assert (failed.sequence, failed.reason, failed.sticky) == (5, Reason.INTERNAL_FAULT, False)
    pool.dispatch(batch(rows(GOOD), sequence=6))
    assert told.next(BatchCompleted).sequence == 6


def test_a_killed_worker_is_gone_once_and_says_nothing_more(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    pool.kill(KillWorker(worker=1, detail="by a test"))
    pool.kill(KillWorker(worker=1, detail="by a test"))
    exited = told.next(WorkerExited)
    assert (exited.worker, "by a test" in exited.detail) == (1, True)
    pool.dispatch(batch(rows(GOOD)))
    pool.probe(DispatchProbe(worker=1, slot=0, sequence=2, case=0))
    pool.kill(KillWorker(worker=1, detail="again"))
    assert told.silent()


def test_a_worker_killed_before_it_is_ready_is_only_gone(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    pool.kill(KillWorker(worker=1, detail="changed my mind"))
    told.next(WorkerExited)
    assert told.silent()


def test_orders_for_a_worker_nobody_knows_are_ignored(pool: WorkerPool, told: Told) -> None:
    pool.kill(KillWorker(worker=9, detail=""))
    pool.dispatch(batch(rows(GOOD), worker=9))
    pool.probe(DispatchProbe(worker=9, slot=0, sequence=1, case=0))
    assert told.silent()


def test_a_worker_number_cannot_be_given_twice(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order())
    told.next(WorkerReady)
    with pytest.raises(ValueError, match="exists"):
        pool.spawn(order())


def test_one_worker_ends_and_the_other_serves_on(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(1))
    pool.spawn(order(2))
    assert {ready.worker for ready in told.both(WorkerReady)} == {1, 2}
    pool.kill(KillWorker(worker=1, detail=""))
    assert told.next(WorkerExited).worker == 1
    pool.dispatch(batch(rows(GOOD), worker=2, sequence=3))
    assert told.next(BatchCompleted).worker == 2


def test_closing_ends_every_worker_and_takes_no_more_orders(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(1))
    pool.spawn(order(2))
    told.both(WorkerReady)
    pool.close()
    assert {gone.worker for gone in told.both(WorkerExited)} == {1, 2}
    pool.spawn(order(3))
    pool.close()
    assert told.silent()


def test_the_sink_is_never_called_from_inside_an_order(pool: WorkerPool, told: Told) -> None:
    pool.spawn(order(on=(ExecutionProvider.ROCM,)))
    pool.dispatch(batch(TensorRows(rows=1, tensors=(b"",))))
    pool.kill(KillWorker(worker=1, detail=""))
    assert threading.current_thread() not in told.threads
