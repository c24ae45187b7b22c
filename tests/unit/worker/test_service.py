"""The child's loop, run in a thread of this process: the frames it sends are the frames a pool would read."""

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.drills import InjectableFault
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.frames import RECEIVE_BYTES, Frame, Operation, batch_frame, json_frame, parse_frame
from stepdown.worker.mailbox import Mailbox, create_memory
from stepdown.worker.order import DrillTerms, LoadOrder, WorkerResources, load_order, order_to_json
from stepdown.worker.parcel import seal_parcel
from stepdown.worker.service import serve
from tests.fakes.bundles import ECHO, LOOKUP, bundle

CPU = (ExecutionProvider.CPU,)


class Child:
    """A served mailbox: the far end of a doorbell, and what `serve` returned when it ended."""

    def __init__(self, order: LoadOrder, files: dict[str, bytes], *, text: bytes | None = None) -> None:
        self.order = order
        self.exit_code: int | None = None
        parcel = seal_parcel(order_to_json(order) if text is None else text, files)
        memory = create_memory(order.layout().total_bytes)
        self._descriptors: tuple[int, ...] = (parcel, memory)
        self.mailbox = Mailbox(memory, order.layout())
        self.bell, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.bell.settimeout(30)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._theirs:
            self.exit_code = serve(self._theirs, *map(os.dup, self._descriptors))

    def heard(self) -> Frame:
        return parse_frame(memoryview(self.bell.recv(RECEIVE_BYTES)))

    def end(self) -> int | None:
        self.bell.close()
        self._thread.join(30)
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = ()
        return self.exit_code


Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as children:

        def started(loads: VerifiedBundle, *, text: bytes | None = None, without: str = "", **changed: object) -> Child:
            model = loads.manifest.model
            assert model is not None
            order = load_order(model, providers=CPU, resources=WorkerResources(threads=1), warm_up_s=0)
            files = {name: content for name, content in loads.files.items() if name != without}
            child = Child(replace(order, **changed), files, text=text)  # type: ignore[arg-type]
            children.callback(child.end)
            return child

        yield started


def test_a_worker_proves_itself_serves_and_ends_when_the_doorbell_closes(start: Start) -> None:
    child = start(bundle(ECHO))
    ready = child.heard()
    assert (ready.operation, ready.body["provider"]) == (Operation.READY, "CPU")
    assert ready.body["placement_share"] == 1.0
    assert ready.body["runtime"].startswith("ONNX Runtime")
    values = np.array([[0.5, 1, 2]], np.float32)
    child.mailbox.write_request(1, sequence=12, rows=1, tensors=([values.tobytes()],))
    child.bell.send(batch_frame(Operation.RUN, sequence=12, rows=1, slot=1))
    done = child.heard()
    assert (done.operation, done.sequence, done.slot, done.rows) == (Operation.DONE, 12, 1, 1)
    assert done.compute_ns > 0
    assert np.frombuffer(child.mailbox.reply(1, sequence=12, rows=1)[0], np.float32).tolist() == [0.5]


def test_weights_in_a_file_of_their_own_serve_as_long_as_the_worker_does(start: Start) -> None:
    child = start(bundle(LOOKUP, external="table.bin"))
    child.heard()
    gc.collect()
    child.mailbox.write_request(0, sequence=1, rows=1, tensors=([np.int64(3).tobytes()],))
    child.bell.send(batch_frame(Operation.RUN, sequence=1, rows=1, slot=0))
    assert child.heard().operation is Operation.DONE
    assert np.frombuffer(child.mailbox.reply(0, sequence=1, rows=1)[0], np.float32)[0] == np.float32(0.4)


def test_a_provider_that_is_not_in_the_build_is_skipped_without_opening_anything(start: Start) -> None:
    child = start(bundle(ECHO), providers=(ExecutionProvider.ROCM, ExecutionProvider.CPU))
    assert child.heard().body["provider"] == "CPU"


def test_without_a_provider_in_the_build_the_last_is_refused(start: Start) -> None:
    child = start(bundle(ECHO), providers=(ExecutionProvider.ROCM,))
    refused = child.heard()
    assert (refused.operation, refused.body["reason"]) == (Operation.REFUSED, "PROVIDER_UNAVAILABLE")
    assert refused.body["provider"] == "ROCm"


@pytest.mark.parametrize(
    ("loads", "reason", "said"),
    [
        (bundle(ECHO, known_answers=ECHO.known_answers(offset=1)), "KNOWN_ANSWER_MISMATCH", "output score"),
        (bundle(LOOKUP, known_answers=ECHO.known_answers()), "KNOWN_ANSWER_MISMATCH", "arrays missing"),
    ],
)
def test_a_worker_with_a_wrong_answer_is_never_ready(
    start: Start, loads: VerifiedBundle, reason: str, said: str
) -> None:
    child = start(loads)
    refused = child.heard()
    assert (refused.operation, refused.body["reason"]) == (Operation.REFUSED, reason)
    assert said in refused.body["detail"]
    assert child.end() == 3


def test_an_order_that_cannot_be_read_is_refused(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    refused = start(bundle(ECHO), text=b"{}").heard()
    assert (refused.operation, refused.body["reason"]) == (Operation.REFUSED, "INTERNAL_FAULT")
    assert "Traceback" in capsys.readouterr().err


def test_a_parcel_without_its_model_is_refused(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    refused = start(bundle(ECHO), without="model.onnx").heard()
    assert "lacks model.onnx" in refused.body["detail"]
    capsys.readouterr()


def test_a_failed_run_is_reported_and_the_next_is_answered(start: Start) -> None:
    child = start(bundle(LOOKUP))
    child.heard()
    for sequence, index, operation in ((1, 9, Operation.FAILED), (2, 1, Operation.DONE)):
        child.mailbox.write_request(0, sequence=sequence, rows=1, tensors=([np.int64(index).tobytes()],))
        child.bell.send(batch_frame(Operation.RUN, sequence=sequence, rows=1, slot=0))
        heard = child.heard()
        assert (heard.operation, heard.sequence) == (operation, sequence)
        assert heard.body.get("sticky", False) is False


@pytest.mark.parametrize(
    "frame",
    [
        batch_frame(Operation.RUN, sequence=5, rows=1, slot=0),
        batch_frame(Operation.RUN, sequence=5, rows=1, slot=9),
        batch_frame(Operation.RUN, sequence=5, rows=10**6, slot=0),
        batch_frame(Operation.DONE, sequence=5, rows=1, slot=0),
        json_frame(Operation.READY, {}, sequence=5),
    ],
    ids=("nothing in the slot", "no such slot", "too many rows", "not an order", "not for a worker"),
)
def test_what_the_slot_does_not_bear_out_is_a_sticky_fault(start: Start, frame: bytes) -> None:
    child = start(bundle(ECHO))
    child.heard()
    child.bell.send(frame)
    heard = child.heard()
    assert (heard.operation, heard.sequence) == (Operation.FAILED, 5)
    assert (heard.body["reason"], heard.body["sticky"]) == ("INTERNAL_FAULT", True)


def test_a_worker_that_may_not_rehearse_ends_when_it_is_told_to(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    child = start(bundle(ECHO))
    child.heard()
    child.bell.send(json_frame(Operation.DRILL, {"fault": "OUTPUT_NAN"}))
    assert child.end() == 4
    assert "may not" in capsys.readouterr().err


def test_a_worker_that_may_rehearse_fails_as_told_and_answers_again_when_told_to_stop(start: Start) -> None:
    child = start(bundle(ECHO), drills=DrillTerms(permitted=True))
    child.heard()
    values = np.array([[0.5, 1, 2]], np.float32).tobytes()
    for sequence, fault, operation in ((1, "STICKY_ERROR", Operation.FAILED), (2, None, Operation.DONE)):
        child.bell.send(json_frame(Operation.DRILL, {"fault": fault}))
        child.mailbox.write_request(0, sequence=sequence, rows=1, tensors=([values],))
        child.bell.send(batch_frame(Operation.RUN, sequence=sequence, rows=1, slot=0))
        assert child.heard().operation is operation


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (InjectableFault.PROVIDER_LOST, "PROVIDER_UNAVAILABLE"),
        (InjectableFault.PLACEMENT_LOST, "PLACEMENT_TOO_LOW"),
    ],
)
def test_a_worker_started_while_the_device_is_lost_is_refused(
    start: Start, fault: InjectableFault, reason: str
) -> None:
    child = start(bundle(ECHO), drills=DrillTerms(permitted=True, load_fault=fault))
    refused = child.heard()
    assert (refused.operation, refused.body["reason"]) == (Operation.REFUSED, reason)
    assert "drill" in refused.body["detail"]
