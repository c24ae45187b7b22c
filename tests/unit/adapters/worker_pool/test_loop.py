import os
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.domain.engine_events import Event, TimePassed, WorkerExited

PATIENCE_S = 10.0


class Heard:
    """A sink and a log, and the loop that fills them, running in a thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[Event, ...]] = []
        self.log: list[str] = []
        self.loop = ListeningLoop(self._take, self.log.append)
        self.failing = False
        self._thread = threading.Thread(target=self.loop.run)

    def _take(self, events: Sequence[Event]) -> None:
        if self.failing:
            raise ValueError("the sink is broken")
        self.calls.append(tuple(events))

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self._thread.join(PATIENCE_S)

    def done(self, act: Callable[[], None]) -> None:
        """Have the loop's thread do something, and wait until it has."""
        passed = threading.Event()
        self.loop.call_soon(act)
        self.loop.call_soon(passed.set)
        assert passed.wait(PATIENCE_S)


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard()
    made.start()
    yield made
    made.end()


def exited(worker: int) -> WorkerExited:
    return WorkerExited(worker=worker, detail="")


def test_what_is_found_in_one_wake_up_is_told_in_one_call() -> None:
    made = Heard()
    for worker in range(3):
        made.loop.call_soon(lambda worker=worker: made.loop.emit(exited(worker)))  # type: ignore[misc]
    made.start()
    made.end()
    assert made.calls == [(exited(0), exited(1), exited(2))]


def test_a_descriptor_is_heard_until_it_is_unwatched(heard: Heard) -> None:
    read, write = os.pipe()
    seen = threading.Event()

    def listen() -> None:
        os.read(read, 10)
        seen.set()

    heard.done(lambda: heard.loop.watch(read, listen))
    os.write(write, b"x")
    assert seen.wait(PATIENCE_S)
    seen.clear()
    heard.done(lambda: heard.loop.unwatch(read))
    heard.done(lambda: heard.loop.unwatch(read))
    os.write(write, b"x")
    heard.done(lambda: None)
    assert not seen.is_set()
    os.close(read)
    os.close(write)


def test_a_deadline_comes_once_and_the_last_one_of_a_key_counts(heard: Heard) -> None:
    order: list[str] = []
    came = threading.Event()

    def arrange() -> None:
        heard.loop.call_in(0.0, lambda: order.append("replaced"), key="a")
        heard.loop.call_in(0.02, lambda: order.append("kept"), key="a")
        heard.loop.call_in(0.0, lambda: order.append("cancelled"), key="b")
        heard.loop.cancel("b")
        heard.loop.cancel("never set")
        heard.loop.call_in(0.05, came.set, key="c")

    heard.loop.call_soon(arrange)
    assert came.wait(PATIENCE_S)
    assert order == ["kept"]


def test_a_listener_that_raises_deafens_nobody(heard: Heard) -> None:
    def fail() -> None:
        raise KeyError("odd")

    heard.done(fail)
    heard.done(lambda: heard.loop.emit(TimePassed()))
    heard.done(lambda: None)
    assert heard.calls == [(TimePassed(),)]
    assert "KeyError" in heard.log[0]


def test_a_sink_that_raises_is_reported_and_told_of_the_next(heard: Heard) -> None:
    heard.failing = True
    heard.done(lambda: heard.loop.emit(exited(1)))
    heard.done(lambda: None)
    heard.failing = False
    heard.done(lambda: heard.loop.emit(exited(2)))
    heard.done(lambda: None)
    assert heard.calls == [(exited(2),)]
    assert "the sink is broken" in heard.log[0]


def test_after_its_end_nothing_happens_and_nothing_is_held() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    made = Heard()
    made.start()
    made.end()
    made.loop.call_soon(lambda: made.loop.emit(exited(1)))
    made.loop.unwatch(0)
    assert made.calls == []
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
