from collections.abc import Callable, Iterator, Sequence
from threading import Event as Flag
from typing import Any
from unittest.mock import patch

import pytest

from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.drills import FaultInjection, InjectableFault, InjectedFault
from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe, KillWorker, Outcome, SpawnWorker
from stepdown.domain.engine_events import BatchCompleted, Event, ProbeCompleted, Request, WorkerExited, WorkerReady
from stepdown.domain.notices import TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.supervision import Supervision
from tests.fakes.drills import injected_fault
from tests.simulation.chain import CHAIN, PATHWAY, POLICY

PATIENCE_S = 10.0


class RecordingPool:
    """Writes down orders; a test answers them by hand through the driver's sink."""

    def __init__(self) -> None:
        self.orders: list[SpawnWorker | KillWorker | DispatchBatch | DispatchProbe] = []

    def spawn(self, order: SpawnWorker) -> None:
        self.orders.append(order)

    def kill(self, order: KillWorker) -> None:
        self.orders.append(order)

    def dispatch(self, batch: DispatchBatch) -> None:
        self.orders.append(batch)

    def probe(self, probe: DispatchProbe) -> None:
        self.orders.append(probe)

    def close(self) -> None:
        """Nothing to release."""


class Bench:
    """A real engine and driver over a recording pool."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        clock = SystemClock()
        self.board = NoticeBoard(observers=(), on_error=self.errors.append)
        self.engine = Engine(pathways=(CHAIN,), policy=POLICY, now_s=clock.monotonic_s())
        self.injected: tuple[InjectedFault, ...] = ()
        self.driver = EngineDriver(
            engine=self.engine,
            clock=clock,
            board=self.board,
            on_error=self.errors.append,
            injected=lambda: self.injected,
        )
        self.pool = RecordingPool()
        self.driver.start(self.pool)

    def ask(self, *, budget_s: float = 0.05, rules: bool = True, pathway: str = PATHWAY) -> tuple[Request, "Reply"]:
        reply = Reply()
        request = Request(
            pathway=pathway,
            payload=TensorRows(rows=1, tensors=(b"x",)),
            deadline_s=self.driver.now_s() + budget_s,
            reply_to=reply,
            rules_in_hand=rules,
        )
        self.driver.submit((request,))
        return request, reply

    def last(self, kind: type[Any]) -> Any:  # noqa: ANN401 - whichever kind was asked for
        return [order for order in self.pool.orders if isinstance(order, kind)][-1]

    def serve_full(self) -> None:
        worker = next(order.worker for order in self.pool.orders if isinstance(order, SpawnWorker))
        report = WorkerReport(
            pid=1,
            execution_provider=ExecutionProvider.CPU,
            device="cpu",
            placement_share=1.0,
            known_answer_error=0.0,
            latency_s=((1, 0.001),),
        )
        changed = Flag()
        stop = self.driver.subscribe(changed.set)
        self.driver.take((WorkerReady(worker=worker, report=report),))
        answered: set[int] = set()
        while self.driver.status()[0].capability is not Capability.FULL:
            probe = self.last(DispatchProbe)
            if probe.sequence not in answered:
                answered.add(probe.sequence)
                done = ProbeCompleted(worker=worker, sequence=probe.sequence, error="", compute_s=0.001)
                self.driver.take((done,))
        assert changed.wait(PATIENCE_S)
        stop()


class Reply:
    """A caller who can wait."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._arrived = Flag()

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._arrived.set()

    def wait(self) -> Outcome:
        assert self._arrived.wait(PATIENCE_S)
        return self.outcomes[0]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.driver.close()
    bench.board.close()


def test_a_request_is_answered_by_the_worker_it_was_sent_to(bench: Bench) -> None:
    bench.serve_full()
    _, reply = bench.ask(budget_s=5.0)
    batch = bench.last(DispatchBatch)
    results = (RowsResult(outputs={"probability": b"1234"}),)
    done = BatchCompleted(worker=batch.worker, sequence=batch.sequence, results=results, compute_s=0.001)
    bench.driver.take((done,))
    identity = reply.wait().answered_by
    assert identity is not None
    assert (identity.tier, identity.bundle.sha256) == ("full", "sha256-of-sepsis-full-1.0.0")
    assert bench.driver.open_requests() == 0


def test_the_timer_answers_by_the_rules_when_no_worker_does(bench: Bench) -> None:
    bench.serve_full()
    _, reply = bench.ask(budget_s=0.05)
    identity = reply.wait().answered_by
    assert identity is not None
    assert identity.tier == "rules"


def test_a_cancelled_caller_is_not_called(bench: Bench) -> None:
    bench.serve_full()
    request, reply = bench.ask(budget_s=0.02)
    bench.driver.cancel(request)
    _, witness = bench.ask(budget_s=0.05)
    witness.wait()
    assert reply.outcomes == []


def test_the_engine_failing_costs_nobody_the_rules_answer(bench: Bench) -> None:
    with patch.object(bench.engine, "_open_case", side_effect=RuntimeError("a defect")):
        _, reply = bench.ask()
        _, without_rules = bench.ask(rules=False)
    identity = reply.wait().answered_by
    assert identity is not None
    assert identity.tier == "rules"
    assert {step.reason for step in reply.wait().degradations} == {Reason.INTERNAL_FAULT}
    assert without_rules.wait().failure is Reason.INTERNAL_FAULT
    assert [str(error) for error in bench.errors] == ["a defect", "a defect"]


def test_an_unknown_pathway_is_refused_even_while_the_engine_fails(bench: Bench) -> None:
    with patch.object(bench.engine, "_refuse", side_effect=RuntimeError("a defect")):
        _, reply = bench.ask(pathway="nonsense")
    assert reply.wait().failure is Reason.INTERNAL_FAULT


def test_a_failing_event_that_is_no_request_is_put_on_record(bench: Bench) -> None:
    with patch.object(Supervision, "exited", side_effect=RuntimeError("a defect")):
        bench.driver.take((_exited(),))
    assert [str(error) for error in bench.errors] == ["a defect"]


def test_a_caller_whose_reply_raises_does_not_stop_the_next_one(bench: Bench) -> None:
    def raises(_outcome: Outcome) -> None:
        raise ValueError("client code")

    reply = Reply()
    replies: Sequence[object] = (raises, "no function at all", reply)
    requests = tuple(
        Request(pathway=PATHWAY, payload=None, deadline_s=bench.driver.now_s() + 1, reply_to=each, rules_in_hand=True)
        for each in replies
    )
    bench.driver.submit(requests)
    assert reply.wait().answered_by is not None
    assert [type(error) for error in bench.errors] == [ValueError, TypeError]


def test_an_operator_disables_and_enables_and_unknown_names_are_refused(bench: Bench) -> None:
    bench.driver.disable_tier(PATHWAY, "full", detail="maintenance")
    assert str(bench.driver.status()[0].tiers[0].state) == "DISABLED"
    bench.driver.enable_tier(PATHWAY, "full")
    assert str(bench.driver.status()[0].tiers[0].state) == "STARTING"
    for pathway, tier in (("nonsense", "full"), (PATHWAY, "nonsense")):
        with pytest.raises(KeyError):
            bench.driver.disable_tier(pathway, tier, detail="")
        with pytest.raises(KeyError):
            bench.driver.enable_tier(pathway, tier)


def test_status_shows_what_a_worker_reported_and_nothing_for_one_that_has_not(bench: Bench) -> None:
    bench.serve_full()
    full, distilled, rules = bench.driver.status()[0].tiers
    assert (full.worker_pid, full.device, full.placement_share) == (1, "cpu", 1.0)
    assert full.probe_age_s is not None
    assert (distilled.worker_pid, distilled.latency_p50_ms, distilled.probe_age_s) == (None, None, None)
    assert (rules.execution_provider, rules.device) == (ExecutionProvider.RULES, "server process")


def test_status_shows_a_fault_with_the_tier_that_a_drill_put_it_into_and_with_no_other(bench: Bench) -> None:
    injection = FaultInjection(pathway=PATHWAY, tier="full", fault=InjectableFault.OUTPUT_NAN, duration_s=5.0)
    bench.injected = (injected_fault(injection),)
    shown = {tier.name: tier.injected_fault for tier in bench.driver.status()[0].tiers}
    assert shown == {"full": bench.injected[0], "distilled": None, "rules": None}


def test_it_is_alive_until_closed_and_then_hears_no_more(bench: Bench) -> None:
    assert bench.driver.is_alive()
    bench.driver.drain()
    bench.driver.close()
    assert not bench.driver.is_alive()
    before = len(bench.pool.orders)
    bench.driver.take((_exited(),))
    assert len(bench.pool.orders) == before


def test_the_boards_observers_and_listeners_survive_one_that_raises() -> None:
    errors: list[Exception] = []
    told: list[object] = []
    heard = Flag()

    class Raises:
        def notice(self, notice: object) -> None:
            raise RuntimeError(type(notice).__name__)

    class Listens:
        def notice(self, notice: object) -> None:
            told.append(notice)

    def listener_raises() -> None:
        raise RuntimeError("listener")

    board = NoticeBoard(observers=(Raises(), Listens()), on_error=errors.append)
    board.subscribe(listener_raises)
    stop: Callable[[], None] = board.subscribe(heard.set)
    notice = _moved()
    board.post((notice,))
    assert heard.wait(PATIENCE_S)
    stop()
    stop()
    board.close()
    assert told == [notice]
    assert [str(error) for error in errors] == ["TierMoved", "listener"]


def test_a_full_board_drops_the_oldest_and_counts_them() -> None:
    blocked, release = Flag(), Flag()
    told: list[object] = []

    class Slow:
        def notice(self, notice: object) -> None:
            blocked.set()
            assert release.wait(PATIENCE_S)
            told.append(notice)

    board = NoticeBoard(observers=(Slow(),), on_error=lambda _error: None, capacity=2)
    first, *rest = (_moved() for _ in range(5))
    board.post((first,))
    assert blocked.wait(PATIENCE_S)
    board.post(tuple(rest))
    release.set()
    board.close()
    assert board.dropped == 2
    assert told == [first, rest[2], rest[3]]


def _exited() -> Event:
    return WorkerExited(worker=1, detail="exit 1")


def _moved() -> TierMoved:
    return TierMoved(
        pathway=PATHWAY,
        tier="full",
        previous=TierState.STARTING,
        state=TierState.SUSPENDED,
        reason=Reason.WORKER_LOST,
        detail="",
    )
