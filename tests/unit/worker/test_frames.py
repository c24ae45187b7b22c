import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import WorkerError
from stepdown.worker.frames import (
    HEAD,
    MAXIMUM_JSON_BYTES,
    RECEIVE_BYTES,
    Frame,
    Operation,
    batch_frame,
    json_frame,
    parse_frame,
)


@given(
    sequence=st.integers(0, 2**64 - 1),
    rows=st.integers(0, 2**32 - 1),
    slot=st.integers(0, 2**16 - 1),
    ns=st.integers(0, 2**64 - 1),
)
def test_a_batch_frame_comes_back_as_it_was_sent(sequence: int, rows: int, slot: int, ns: int) -> None:
    frame = batch_frame(Operation.DONE, sequence=sequence, rows=rows, slot=slot, compute_ns=ns)
    assert parse_frame(memoryview(frame)) == Frame(Operation.DONE, sequence, rows, slot, ns, {})


@given(
    st.dictionaries(st.text(max_size=20), st.none() | st.booleans() | st.integers() | st.text(max_size=50), max_size=5)
)
def test_a_json_frame_comes_back_as_it_was_sent(body: dict[str, object]) -> None:
    frame = json_frame(Operation.FAILED, body, sequence=7, slot=1)
    assert parse_frame(memoryview(frame)) == Frame(Operation.FAILED, 7, 0, 1, 0, body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_worker_error_and_nothing_else(noise: bytes) -> None:
    try:
        parse_frame(memoryview(noise))
    except WorkerError:
        return


@given(st.sampled_from(Operation), st.integers(0, 2**64 - 1), st.binary(max_size=100))
def test_a_true_head_before_noise_is_a_frame_or_a_worker_error(operation: Operation, value: int, noise: bytes) -> None:
    for promised in (value, len(noise)):
        try:
            parse_frame(memoryview(HEAD.pack(1, promised, 1, 0, operation) + noise))
        except WorkerError:
            continue


def test_a_frame_longer_than_the_buffer_shows_by_filling_it() -> None:
    frame = HEAD.pack(0, 10**6, 0, 0, Operation.READY) + b" " * 10**6
    with pytest.raises(WorkerError, match="promises"):
        parse_frame(memoryview(frame)[:RECEIVE_BYTES])


@pytest.mark.parametrize("body", [b"[" * 5000, b"nul", b'{"a":}', b"[]", b"3", b"\xff\xfe"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WorkerError, match="READY frame"):
        parse_frame(memoryview(HEAD.pack(0, len(body), 0, 0, Operation.READY) + body))


def test_a_batch_frame_with_more_bytes_than_its_head_is_refused() -> None:
    with pytest.raises(WorkerError, match="too many"):
        parse_frame(memoryview(batch_frame(Operation.DONE, sequence=1, rows=1, slot=0) + b"x"))


def test_a_body_that_is_too_long_is_never_sent() -> None:
    with pytest.raises(WorkerError, match="REFUSED frame of"):
        json_frame(Operation.REFUSED, {"detail": "x" * MAXIMUM_JSON_BYTES})
