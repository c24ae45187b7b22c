from typing import cast

import grpc
import pytest

from stepdown.transport.stalls import SWEEP_S, Patience, Stalls
from tests.unit.transport.patience import until
from tests.unit.transport.test_stored_claims import HandClock

PATIENCE = Patience(calm_s=20.0, pressed_s=1.0)


class Waiting:
    """gRPC's context of a call, as far as it can be cut off."""

    def __init__(self) -> None:
        self.cut = False

    def cancel(self) -> None:
        self.cut = True

    @property
    def context(self) -> grpc.ServicerContext:
        return cast("grpc.ServicerContext", self)


class Bench:
    """Stalls whose time and whose pressure a test sets."""

    def __init__(self) -> None:
        self.clock, self.pressed = HandClock(), False
        self.told: list[int] = []
        self.stalls = Stalls(self.clock, is_pressed=lambda: self.pressed, on_cut=self.told.append)
        self.stalls.close()

    def after(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.stalls.look()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_wait_is_cut_off_when_patience_ends_and_is_told_of_once(bench: Bench) -> None:
    slow, done = Waiting(), Waiting()
    bench.stalls.begin(slow.context, PATIENCE)
    bench.stalls.end(bench.stalls.begin(done.context, PATIENCE))
    bench.after(PATIENCE.calm_s - 0.1)
    assert bench.told == []
    bench.after(0.2)
    bench.after(0.2)
    assert (slow.cut, done.cut, bench.told) == (True, False, [1])


def test_patience_is_short_while_others_wait(bench: Bench) -> None:
    slow = Waiting()
    number = bench.stalls.begin(slow.context, PATIENCE)
    bench.pressed = True
    bench.after(PATIENCE.pressed_s - 0.1)
    assert bench.told == []
    bench.after(0.2)
    assert (slow.cut, bench.told) == (True, [1])
    bench.stalls.end(number)


def test_who_dawdles_is_counted_by_sender(bench: Bench) -> None:
    numbers = [bench.stalls.begin(Waiting().context, PATIENCE, sender=sender) for sender in ("slow", "slow", "other")]
    bench.after(SWEEP_S / 2)
    assert bench.stalls.dawdling("slow") == 0
    bench.after(SWEEP_S)
    assert (bench.stalls.dawdling("slow"), bench.stalls.dawdling("other")) == (2, 1)
    for number in numbers:
        bench.stalls.end(number)
    bench.after(0.0)
    assert bench.stalls.dawdling("slow") == 0


class EndingWait(dict[int, object]):
    """Waits that end between being listed and being cut off."""

    def copy(self) -> dict[int, object]:
        listed = dict(self)
        self.clear()
        return listed


def test_a_wait_that_ends_while_it_is_looked_at_is_left_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = Waiting()
    monkeypatch.setattr(bench.stalls, "_waits", EndingWait())
    bench.stalls.begin(ending.context, PATIENCE)
    bench.after(PATIENCE.calm_s + 1)
    assert (ending.cut, bench.told) == (False, [])


def test_a_thread_of_its_own_looks_until_it_is_closed() -> None:
    slow, told = Waiting(), list[int]()
    stalls = Stalls(HandClock(), is_pressed=lambda: False, on_cut=told.append)
    stalls.begin(slow.context, Patience(calm_s=-1.0, pressed_s=-1.0))
    until(lambda: slow.cut)
    stalls.close()
