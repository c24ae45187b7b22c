"""The two slots against a worker's side played by hand: every frame that is not exactly the one owed is a breach."""

import os

import numpy as np
import pytest

from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.preparation import Preparation, prepare
from stepdown.adapters.worker_pool.slots import Slots
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, SpawnWorker
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, ProbeCompleted
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.frames import Frame, Operation
from stepdown.worker.mailbox import Mailbox, create_memory
from tests.fakes.bundles import ECHO, bundle


class FakeProcess:
    """The far side of a mailbox, with a doorbell that can be cut."""

    def __init__(self, prepared: Preparation) -> None:
        descriptor = create_memory(prepared.layout.total_bytes)
        self.mailbox = Mailbox(descriptor, prepared.layout)
        self.theirs = Mailbox(descriptor, prepared.layout)
        os.close(descriptor)
        self.rung: list[tuple[int, int, int]] = []
        self.reads = True

    def ring(self, *, sequence: int, rows: int, slot: int) -> bool:
        self.rung.append((sequence, rows, slot))
        return self.reads

    def answer(self, slot: int, sequence: int, rows: int, *, lie: float = 0.0) -> None:
        (values,) = self.theirs.request(slot, sequence=sequence, rows=rows)
        outputs = ECHO.compute({"values": values + np.float32(lie)})
        arrays = [np.ascontiguousarray(outputs[tensor.name]) for tensor in self.theirs.layout.outputs]
        self.theirs.write_reply(slot, sequence=sequence, rows=rows, outputs=arrays)


@pytest.fixture
def prepared() -> Preparation:
    order = SpawnWorker(
        worker=7, pathway="ward", tier="tiny", bundle=bundle(ECHO), execution_providers=(ExecutionProvider.CPU,)
    )
    return prepare(order, WorkerPoolOptions())


@pytest.fixture
def process(prepared: Preparation) -> FakeProcess:
    return FakeProcess(prepared)


@pytest.fixture
def slots(prepared: Preparation, process: FakeProcess) -> Slots:
    made = Slots(7, prepared, process)  # type: ignore[arg-type]
    made.put_batch(batch(sequence=10, slot=0))
    return made


def batch(*, sequence: int, slot: int, rows: int = 2) -> DispatchBatch:
    payload = TensorRows(rows=rows, tensors=(np.full((rows, 3), 0.5, np.float32).tobytes(),))
    return DispatchBatch(worker=7, slot=slot, sequence=sequence, kind=BatchKind.LIVE, payloads=(payload,))


def done(sequence: int, *, rows: int = 2, slot: int = 0) -> Frame:
    return Frame(Operation.DONE, sequence, rows, slot, 1_500_000, {})


def failed(sequence: int, changed: dict[str, object] | None = None, *, slot: int = 0) -> Frame:
    body = {"reason": "EXECUTION_FAILED", "detail": "no", "sticky": False} | (changed or {})
    return Frame(Operation.FAILED, sequence, 0, slot, 0, body)


def test_the_reply_that_is_owed_becomes_the_event(slots: Slots, process: FakeProcess) -> None:
    assert process.rung == [(10, 2, 0)]
    process.answer(0, 10, 2)
    event = slots.land(done(10))
    assert isinstance(event, BatchCompleted)
    assert (event.worker, event.sequence, round(event.compute_s, 9)) == (7, 10, 0.0015)
    assert not slots.in_use


@pytest.mark.parametrize(
    "frame",
    [done(11), done(10, slot=1), done(10, slot=9), done(10, rows=1), done(10, rows=3), failed(11), failed(10, slot=1)],
)
def test_a_reply_to_anything_else_is_a_breach_and_settles_nothing(
    slots: Slots, process: FakeProcess, frame: Frame
) -> None:
    process.answer(0, 10, 2)
    with pytest.raises(WorkerError):
        slots.land(frame)
    assert slots.in_use


def test_a_reply_that_was_not_written_is_a_breach(slots: Slots) -> None:
    with pytest.raises(WorkerError, match="does not hold"):
        slots.land(done(10))


def test_the_same_reply_twice_is_a_breach(slots: Slots, process: FakeProcess) -> None:
    process.answer(0, 10, 2)
    slots.land(done(10))
    with pytest.raises(WorkerError, match="not asked"):
        slots.land(done(10))


@pytest.mark.parametrize(
    "changed",
    [{"reason": "OPERATOR_DISABLED"}, {"reason": None}, {"detail": 3}, {"sticky": 1}, {"sticky": "no"}],
)
def test_a_failure_in_an_odd_form_is_a_breach(slots: Slots, changed: dict[str, object]) -> None:
    with pytest.raises(WorkerError, match="another form"):
        slots.land(failed(10, changed))


def test_a_failure_is_told_with_its_words_made_fit_for_a_log(slots: Slots) -> None:
    event = slots.land(failed(10, {"detail": "\x1b[31mred\x1b[0m\nnext", "sticky": True, "reason": "OUT_OF_MEMORY"}))
    assert event == BatchFailed(worker=7, sequence=10, reason=Reason.OUT_OF_MEMORY, detail="red next", sticky=True)


def test_a_probe_that_is_right_passes_and_one_that_is_not_says_by_how_much(slots: Slots, process: FakeProcess) -> None:
    errors = []
    for sequence, lie in ((20, 0.0), (21, 0.5)):
        slots.put_probe(DispatchProbe(worker=7, slot=1, sequence=sequence, case=2))
        process.answer(1, sequence, 1, lie=lie)
        event = slots.land(done(sequence, rows=1, slot=1))
        assert isinstance(event, ProbeCompleted)
        errors.append(event.error)
    assert errors == ["", "known answer 2: output score is 5e+03 times its tolerance off"]


def test_everything_owed_is_given_up_once(slots: Slots) -> None:
    slots.put_batch(batch(sequence=11, slot=1))
    given_up = slots.give_up(reason=Reason.WORKER_LOST, detail="gone")
    assert [(event.sequence, event.sticky) for event in given_up if isinstance(event, BatchFailed)] == [
        (10, True),
        (11, True),
    ]
    assert slots.give_up(reason=Reason.WORKER_LOST, detail="gone") == []


def test_a_doorbell_nobody_reads_loses_the_batch_and_frees_the_slot(
    prepared: Preparation, process: FakeProcess
) -> None:
    process.reads = False
    slots = Slots(7, prepared, process)  # type: ignore[arg-type]
    with pytest.raises(WorkerError) as raised:
        slots.put_batch(batch(sequence=1, slot=0))
    assert raised.value.reason is Reason.WORKER_LOST
    assert not slots.in_use


def test_requests_without_rows_are_never_sent(slots: Slots, process: FakeProcess) -> None:
    with pytest.raises(WorkerError, match="no rows"):
        slots.put_batch(batch(sequence=12, slot=1, rows=0))
    assert len(process.rung) == 1
