"""Order, read-ahead, and every way in which a stream can end, without a network."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Event, Semaphore
from threading import enumerate as enumerate_threads

import grpc
import pytest

from stepdown.api.oip import infer_pb2 as pb
from stepdown.transport.oip.stream import READER, UNDER_WAY, InferenceStream

PATIENCE_S = 10.0


class Pending:
    """A reply that waits until it is released."""

    def __init__(self, name: str, released: Event) -> None:
        self.name = name
        self.released = released
        self.withdrawn = 0
        self.closed = 0

    def reply(self) -> pb.ModelStreamInferResponse:
        assert self.released.wait(PATIENCE_S)
        return pb.ModelStreamInferResponse(infer_response=pb.ModelInferResponse(id=self.name))

    def withdraw(self) -> None:
        self.withdrawn += 1
        self.released.set()

    def close(self) -> None:
        self.closed += 1


class Caller:
    """A client that sends when told to, and the replies begun for it."""

    def __init__(self, *, released: bool = True) -> None:
        self.begun: list[Pending] = []
        self.begins = Semaphore(0)
        self.released = released
        self.stream = InferenceStream(self._begin)

    def _begin(self, request: pb.ModelInferRequest) -> Pending:
        event = Event()
        if self.released:
            event.set()
        pending = Pending(request.id, event)
        self.begun.append(pending)
        self.begins.release()
        return pending

    def await_begun(self, count: int) -> None:
        for _ in range(count):
            assert self.begins.acquire(timeout=PATIENCE_S)


def requests(*names: str) -> Iterator[pb.ModelInferRequest]:
    for name in names:
        yield pb.ModelInferRequest(id=name)


def hanging(*names: str, then: str, when: Event) -> Iterator[pb.ModelInferRequest]:
    yield from requests(*names)
    assert when.wait(PATIENCE_S)
    yield from requests(then)


def await_readers() -> None:
    """Until every reader has read to its end, or turned away from it."""
    for thread in enumerate_threads():
        if thread.name == READER:
            thread.join(PATIENCE_S)


@pytest.fixture
def elsewhere() -> Iterator[Executor]:
    """A thread to wait in, so that the test can act meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def ids(responses: Iterator[pb.ModelStreamInferResponse]) -> list[str]:
    return [response.infer_response.id for response in responses]


def test_answers_come_in_the_order_asked_and_each_is_closed_once() -> None:
    caller = Caller()
    assert ids(caller.stream.answers(requests("a", "b", "c"))) == ["a", "b", "c"]
    assert [pending.closed for pending in caller.begun] == [1, 1, 1]
    assert not caller.stream.is_drained


def test_a_later_answer_that_is_ready_waits_for_the_earlier_one(elsewhere: Executor) -> None:
    caller = Caller(released=False)
    collected = elsewhere.submit(ids, caller.stream.answers(requests("a", "b")))
    caller.await_begun(2)
    caller.begun[1].released.set()
    caller.begun[0].released.set()
    assert collected.result(PATIENCE_S) == ["a", "b"]


def test_a_stream_is_read_ahead_so_far_and_no_further(elsewhere: Executor) -> None:
    caller = Caller(released=False)
    names = [str(number) for number in range(UNDER_WAY + 5)]
    collected = elsewhere.submit(ids, caller.stream.answers(requests(*names)))
    caller.await_begun(UNDER_WAY)
    assert len(caller.begun) == UNDER_WAY
    for number in range(len(names)):
        if number >= UNDER_WAY:
            caller.await_begun(1)
        caller.begun[number].released.set()
    assert collected.result(PATIENCE_S) == names


def test_a_drain_answers_what_was_asked_and_asks_nothing_more(elsewhere: Executor) -> None:
    caller, more = Caller(released=False), Event()
    collected = elsewhere.submit(ids, caller.stream.answers(hanging("a", "b", then="c", when=more)))
    caller.await_begun(2)
    caller.stream.drain()
    more.set()
    await_readers()
    for pending in caller.begun:
        pending.released.set()
    assert collected.result(PATIENCE_S) == ["a", "b"]
    assert [pending.name for pending in caller.begun] == ["a", "b"]
    assert caller.stream.is_drained


def test_a_client_that_leaves_is_waited_for_no_longer(elsewhere: Executor) -> None:
    caller, more = Caller(released=False), Event()
    answers = caller.stream.answers(hanging("a", "b", then="c", when=more))
    first = elsewhere.submit(next, answers)
    caller.await_begun(2)
    while caller.begun[0].withdrawn == 0:
        caller.stream.leave()
    assert first.result(PATIENCE_S).infer_response.id == "a"
    answers.close()
    more.set()
    await_readers()
    assert [pending.closed for pending in caller.begun] == [1, 1]


def test_a_stream_that_is_dropped_half_way_closes_what_it_asked(elsewhere: Executor) -> None:
    caller = Caller()
    answers = caller.stream.answers(requests(*map(str, range(UNDER_WAY * 2))))
    assert elsewhere.submit(next, answers).result(PATIENCE_S).infer_response.id == "0"
    caller.await_begun(UNDER_WAY)
    answers.close()
    assert {pending.closed for pending in caller.begun} == {1}


def test_what_reading_raises_comes_after_the_answers_before_it() -> None:
    def broken() -> Iterator[pb.ModelInferRequest]:
        yield pb.ModelInferRequest(id="a")
        raise ValueError("a malformed message")

    answers = Caller().stream.answers(broken())
    assert next(answers).infer_response.id == "a"
    with pytest.raises(ValueError, match="malformed"):
        next(answers)


def test_a_call_that_grpc_declares_over_ends_without_an_error() -> None:
    def gone() -> Iterator[pb.ModelInferRequest]:
        yield pb.ModelInferRequest(id="a")
        raise grpc.RpcError

    caller = Caller()
    assert ids(caller.stream.answers(gone())) == ["a"]
    assert not caller.stream.is_drained


class TakenTooLate:
    """The queue of a stream whose client leaves in the moment between a request being taken and being waited for."""

    def __init__(self, stream: InferenceStream) -> None:
        self._stream = stream
        self._items = stream._items  # noqa: SLF001 - there is no other way into that moment
        self.put, self.get_nowait = self._items.put, self._items.get_nowait

    def get(self) -> object:
        item = self._items.get(timeout=PATIENCE_S)
        if isinstance(item, Pending):
            self._stream.leave()
        return item


def test_a_client_that_leaves_between_being_asked_and_being_waited_for_is_not_waited_for() -> None:
    caller = Caller(released=False)
    caller.stream._items = TakenTooLate(caller.stream)  # type: ignore[assignment]  # noqa: SLF001
    list(caller.stream.answers(requests("a")))
    assert [pending.withdrawn for pending in caller.begun] == [1]
