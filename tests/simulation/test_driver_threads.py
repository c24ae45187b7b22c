"""The real driver under many threads at once: whoever interrupts whom, each caller is answered once."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from random import Random
from threading import Event as Flag
from threading import Thread
from unittest.mock import patch

import pytest

from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import Capability, Urgency
from stepdown.serving.engine.engine import Engine
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.simulation.threaded_pool import ThreadedPool

CALLERS = 4
ROUNDS = 150
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def _hasty_threads() -> Iterator[None]:
    """Threads take turns so often that they meet everywhere."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual_s)


class Caller:
    """One request's owner. `heard_at_leaving`: how many answers it had when `cancel` had returned."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.outcomes: list[Outcome] = []
        self.answered = Flag()
        self.heard_at_leaving: int | None = None

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.answered.set()


class Stress:
    """Callers, an operator and an onlooker, all at once, over one driver."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.errors: list[Exception] = []
        clock = SystemClock()
        self.engine = Engine(pathways=(CHAIN,), policy=POLICY, now_s=clock.monotonic_s())
        board = NoticeBoard(observers=(), on_error=self.errors.append)
        self.driver = EngineDriver(engine=self.engine, clock=clock, board=board, on_error=self.errors.append)
        self.pool = ThreadedPool(self.driver.take, seed=seed)
        self.callers: list[list[Caller]] = [[] for _ in range(CALLERS)]
        self._over = Flag()

    def live_through(self) -> None:
        serves = Flag()
        forget = self.driver.subscribe(lambda: serves.set() if self._is_full() else None)
        self.driver.start(self.pool)
        self.pool.start()
        if not serves.wait(PATIENCE_S):
            self.errors.append(TimeoutError("the tiers do not come up"))
        forget()
        askers = [self._thread(lambda lane=lane: self._ask(lane)) for lane in range(CALLERS)]  # type: ignore[misc]
        others = [self._thread(self._operate), self._thread(self._look_on)]
        for thread in askers:
            thread.join()
        self._over.set()
        for thread in others:
            thread.join()
        for caller in self.everybody():
            if caller.heard_at_leaving is None:
                caller.answered.wait(PATIENCE_S)

    def close(self) -> None:
        self.pool.close()
        self.driver.close()

    def _is_full(self) -> bool:
        return self.engine.pathways[PATHWAY].capability is Capability.FULL

    def everybody(self) -> list[Caller]:
        return [caller for lane in self.callers for caller in lane]

    def _thread(self, target: Callable[[], None]) -> Thread:
        def guarded() -> None:
            try:
                target()
            except Exception as error:  # noqa: BLE001 - a test's thread reports to the test
                self.errors.append(error)

        thread = Thread(target=guarded, daemon=True)
        thread.start()
        return thread

    def _ask(self, lane: int) -> None:
        draw = Random(self.seed * CALLERS + lane)
        for _ in range(ROUNDS):
            requests = [self._request(lane, draw) for _ in range(draw.choice((1, 1, 3, 8)))]
            self.driver.submit(requests)
            if draw.random() < 0.3:
                leaving = draw.choice(requests)
                self.driver.cancel(leaving)
                caller = leaving.reply_to
                assert isinstance(caller, Caller)
                caller.heard_at_leaving = len(caller.outcomes)
            elif draw.random() < 0.5:
                self.callers[lane][-1].answered.wait(PATIENCE_S)

    def _request(self, lane: int, draw: Random) -> Request:
        caller = Caller(lane * 1_000_000 + len(self.callers[lane]))
        self.callers[lane].append(caller)
        return Request(
            pathway=PATHWAY,
            payload=TensorRows(rows=1, tensors=(caller.number.to_bytes(8, "little"),)),
            deadline_s=self.driver.now_s() + draw.choice((0.0, 0.02, 0.1, 0.5)),
            reply_to=caller,
            rules_in_hand=draw.random() < 0.9,
            urgency=draw.choice(list(Urgency)),
        )

    def _operate(self) -> None:
        draw = Random(self.seed)
        while not self._over.wait(0.15):
            tier = draw.choice(("full", "distilled", "rules"))
            self.driver.disable_tier(PATHWAY, tier, detail="simulated")
            self.driver.enable_tier(PATHWAY, tier)

    def _look_on(self) -> None:
        while not self._over.is_set():
            self.driver.status()
            assert self.driver.open_requests() >= 0
            self._over.wait(0.001)


def broken_promises(stress: Stress) -> list[str]:
    """What was not kept, in a line each."""
    broken = [repr(error) for error in stress.errors]
    for caller in stress.everybody():
        owed = 1 if caller.heard_at_leaving is None else min(caller.heard_at_leaving, 1)
        if len(caller.outcomes) != owed:
            broken.append(f"{len(caller.outcomes)} answers instead of {owed}")
        own = {"echo": caller.number.to_bytes(8, "little")}
        if any(outcome.result is not None and outcome.result.outputs != own for outcome in caller.outcomes):
            broken.append("another's answer")
    return broken


@pytest.mark.parametrize("seed", range(4))
def test_each_caller_is_answered_once_whoever_interrupts_whom(seed: int) -> None:
    stress = Stress(seed)
    try:
        stress.live_through()
        assert stress.driver.is_alive()
        assert stress.driver.open_requests() == 0
        assert stress.pool.dispatched > 0
    finally:
        stress.close()
    assert broken_promises(stress) == []


def holds_without_its_lock(seed: int) -> bool:
    stress = Stress(seed)
    with patch.object(stress.driver, "_lock", nullcontext()):
        try:
            stress.live_through()
        finally:
            stress.close()
    return broken_promises(stress) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_without_its_lock_the_driver_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PATIENCE_S", 1.0)
    assert not all(holds_without_its_lock(seed) for seed in range(20))
