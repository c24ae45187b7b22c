import fcntl
import gc
import os
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.mailbox import Layout, Mailbox, create_memory, layout

GRID = tensor_format(TensorSpec(name="grid", datatype="FP32", shape=(-1, 2, 3)))
AGE = tensor_format(TensorSpec(name="age", datatype="INT64", shape=(-1, 1)))
RISK = tensor_format(TensorSpec(name="risk", datatype="FP32", shape=(-1, 1)))
FLAGS = tensor_format(TensorSpec(name="flags", datatype="BOOL", shape=(-1, 5)))
ROWS = 4


@pytest.fixture
def plan() -> Layout:
    return layout((GRID, AGE), (RISK, FLAGS), maximum_rows=ROWS)


@pytest.fixture
def sides(plan: Layout) -> Iterator[tuple[Mailbox, Mailbox]]:
    """The server's and the worker's view of one memory."""
    descriptor = create_memory(plan.total_bytes)
    try:
        yield Mailbox(descriptor, plan), Mailbox(descriptor, plan)
    finally:
        os.close(descriptor)


def grids(rows: int) -> np.ndarray:
    return np.arange(rows * 6, dtype=np.float32).reshape(rows, 2, 3)


def ages(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.int64).reshape(rows, 1)


def put(server: Mailbox, slot: int, sequence: int, rows: int) -> None:
    server.write_request(slot, sequence=sequence, rows=rows, tensors=([grids(rows).tobytes()], [ages(rows).tobytes()]))


def test_a_batch_goes_there_and_its_outputs_come_back(sides: tuple[Mailbox, Mailbox]) -> None:
    server, worker = sides
    put(server, 1, 9, 3)
    grid, age = worker.request(1, sequence=9, rows=3)
    assert np.array_equal(grid, grids(3))
    assert np.array_equal(age, ages(3))
    risk = np.array([[0.1], [0.2], [0.3]], np.float32)
    flags = np.ones((3, 5), bool)
    worker.write_reply(1, sequence=9, rows=3, outputs=(risk, flags))
    assert server.reply(1, sequence=9, rows=3) == (risk.tobytes(), flags.tobytes())


def test_the_buffers_of_many_requests_lie_one_after_the_other(sides: tuple[Mailbox, Mailbox]) -> None:
    server, worker = sides
    parts: list[bytearray | memoryview] = [bytearray(grids(3)[0:1].tobytes()), memoryview(grids(3)[1:3].tobytes())]
    server.write_request(0, sequence=1, rows=3, tensors=(parts, [ages(3).tobytes()]))
    assert np.array_equal(worker.request(0, sequence=1, rows=3)[0], grids(3))


def test_the_two_slots_do_not_touch(sides: tuple[Mailbox, Mailbox]) -> None:
    server, worker = sides
    put(server, 0, 1, ROWS)
    put(server, 1, 2, 1)
    worker.write_reply(1, sequence=2, rows=1, outputs=(np.full((1, 1), 9, np.float32), np.ones((1, 5), bool)))
    assert np.array_equal(worker.request(0, sequence=1, rows=ROWS)[0], grids(ROWS))


def test_rows_may_be_shown_that_are_not_part_of_the_batch(sides: tuple[Mailbox, Mailbox]) -> None:
    server, worker = sides
    put(server, 0, 1, 3)
    assert [len(array) for array in worker.request(0, sequence=1, rows=3, shown_rows=4)] == [4, 4]


@pytest.mark.parametrize(("sequence", "rows"), [(2, 3), (1, 2)])
def test_a_slot_that_holds_something_else_is_not_read(sides: tuple[Mailbox, Mailbox], sequence: int, rows: int) -> None:
    server, worker = sides
    put(server, 0, 1, 3)
    with pytest.raises(WorkerError, match="does not hold"):
        worker.request(0, sequence=sequence, rows=rows)


def test_a_request_is_no_reply(sides: tuple[Mailbox, Mailbox]) -> None:
    server, _ = sides
    put(server, 0, 1, 3)
    with pytest.raises(WorkerError, match="does not hold"):
        server.reply(0, sequence=1, rows=3)


@pytest.mark.parametrize("rows", [0, -1, ROWS + 1, 2**31])
def test_rows_there_is_no_room_for_are_refused_on_both_sides(sides: tuple[Mailbox, Mailbox], rows: int) -> None:
    server, worker = sides
    with pytest.raises(WorkerError, match="a slot holds 1 to 4"):
        server.write_request(0, sequence=1, rows=rows, tensors=([b""], [b""]))
    with pytest.raises(WorkerError, match="a slot holds 1 to 4"):
        worker.request(0, sequence=1, rows=rows)


def test_bytes_that_are_not_the_rows_announced_are_refused(sides: tuple[Mailbox, Mailbox]) -> None:
    server, _ = sides
    with pytest.raises(WorkerError, match="bytes for 2 rows"):
        server.write_request(0, sequence=1, rows=2, tensors=([grids(3).tobytes()], [ages(2).tobytes()]))


@pytest.mark.parametrize(
    "outputs",
    [
        (np.zeros((2, 1)), np.zeros((2, 5), bool)),
        (np.zeros((3, 1), np.float32), np.zeros((2, 5), bool)),
        (np.zeros((2, 1), np.float32), np.zeros((2, 4), bool)),
    ],
)
def test_outputs_of_another_form_than_the_manifest_says_fail(
    sides: tuple[Mailbox, Mailbox], outputs: tuple[np.ndarray, ...]
) -> None:
    _, worker = sides
    with pytest.raises(WorkerError, match="output") as raised:
        worker.write_reply(0, sequence=1, rows=2, outputs=outputs)
    assert raised.value.reason is Reason.EXECUTION_FAILED


def test_the_copy_is_not_changed_by_a_worker_that_writes_on(sides: tuple[Mailbox, Mailbox]) -> None:
    server, worker = sides
    first = np.full((1, 1), 0.5, np.float32), np.zeros((1, 5), bool)
    worker.write_reply(0, sequence=1, rows=1, outputs=first)
    copied = server.reply(0, sequence=1, rows=1)
    worker.write_reply(0, sequence=1, rows=1, outputs=(np.full((1, 1), np.nan, np.float32), first[1]))
    assert copied[0] == first[0].tobytes()


def test_a_head_made_up_by_the_worker_leads_nobody_out_of_bounds(plan: Layout) -> None:
    descriptor = create_memory(plan.total_bytes)
    try:
        server = Mailbox(descriptor, plan)
        os.pwrite(descriptor, struct.pack("<QIIQQ", 1, 2, 2**32 - 1, 2**64 - 1, 2**64 - 1), 0)
        with pytest.raises(WorkerError, match="does not hold"):
            server.reply(0, sequence=1, rows=1)
    finally:
        os.close(descriptor)


def test_the_memory_can_neither_shrink_nor_grow(plan: Layout) -> None:
    descriptor = create_memory(plan.total_bytes)
    try:
        for size in (0, 2 * plan.total_bytes):
            with pytest.raises(PermissionError):
                os.ftruncate(descriptor, size)
        with pytest.raises(PermissionError):
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    finally:
        os.close(descriptor)


def test_a_memory_that_cannot_be_made_leaves_no_descriptor_behind() -> None:
    gc.collect()  # what other tests dropped must not close its descriptors in between
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(OSError, match=r"argument|large"):
        create_memory(-1)
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_tensors_start_on_cache_lines_and_slots_on_pages(plan: Layout) -> None:
    assert all(offset % 64 == 0 for offset in (*plan.input_offsets, *plan.output_offsets))
    assert plan.slot_bytes % 4096 == 0
    assert plan.total_bytes == 2 * plan.slot_bytes
