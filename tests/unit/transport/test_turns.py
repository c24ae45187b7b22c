import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.transport import turns
from stepdown.transport.turns import Turns
from tests.unit.transport.patience import until

LONG_S = 20.0


class Room:
    """One place, and threads that want it."""

    def __init__(self, *, maximum_wait_s: float = LONG_S) -> None:
        self.turns = Turns(places=1, maximum_wait_s=maximum_wait_s, clock=SystemClock())
        self.order: list[str] = []
        self._pool = ThreadPoolExecutor(8)

    def wants(self, caller: str) -> "Future[None]":
        """Somebody comes, and waits before the next one does."""
        before = self.waiting()
        future = self.begin(caller)
        until(lambda: self.waiting() == before + 1)
        return future

    def begin(self, caller: str) -> "Future[None]":
        return self._pool.submit(self.work, caller)

    def waiting(self) -> int:
        return sum(map(len, self.turns._waiting.values()))  # noqa: SLF001 - nothing else tells

    def work(self, caller: str) -> None:
        with self.turns.taken_by(caller, waited_s=0.0):
            self.order.append(caller)


def test_a_free_place_is_had_at_once_and_says_what_was_waited_before() -> None:
    with Room().turns.taken_by("ward", waited_s=0.25) as waited_s:
        assert 0.25 <= waited_s < 0.25 + LONG_S


def test_callers_take_turns_however_many_one_of_them_has_waiting() -> None:
    room = Room()
    other = Turns(places=2, maximum_wait_s=LONG_S, clock=SystemClock())
    room.turns = other
    with other.taken_by("flood", waited_s=0.0):
        with other.taken_by("flood", waited_s=0.0):
            waiting = [room.wants(caller) for caller in ("flood", "flood", "flood", "ward")]
        for each in waiting:
            each.result(LONG_S)
    assert room.order == ["ward", "flood", "flood", "flood"]


def test_whoever_waited_too_long_before_is_turned_away_and_takes_no_place() -> None:
    room = Room(maximum_wait_s=0.5)
    with pytest.raises(RequestRejectedError) as refusal, room.turns.taken_by("ward", waited_s=0.5):
        raise AssertionError
    assert refusal.value.reason is RejectReason.OVERLOADED
    assert refusal.value.retry_after_s
    with room.turns.taken_by("ward", waited_s=0.0):
        pass


def test_whoever_waits_too_long_here_is_turned_away_and_forgotten() -> None:
    room = Room(maximum_wait_s=0.05)
    with room.turns.taken_by("flood", waited_s=0.0):
        waiting = [room.begin("ward") for _ in range(2)]
        for each in waiting:
            with pytest.raises(RequestRejectedError):
                each.result(LONG_S)
    assert room.waiting() == 0
    room.work("ward")
    assert room.order == ["ward"]


def test_a_place_given_in_the_moment_of_giving_up_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    room, waits = Room(), threading.Event()

    class Hasty(threading.Event):
        """Says that nobody called, although somebody just did."""

        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            super().wait(timeout)
            return False

    with room.turns.taken_by("flood", waited_s=0.0):
        monkeypatch.setattr(turns, "Event", Hasty)
        mine = room.begin("ward")
        assert waits.wait(LONG_S)
        monkeypatch.undo()
    mine.result(LONG_S)
    assert room.order == ["ward"]
