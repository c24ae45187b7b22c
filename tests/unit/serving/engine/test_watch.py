from dataclasses import replace

import pytest

from stepdown.domain.engine_events import (
    TimePassed,
    WorkerExited,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability
from stepdown.serving.engine.snapshot import snapshot
from tests.simulation.chain import PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench


@pytest.fixture
def bench() -> EngineBench:
    return EngineBench()


def test_a_silent_worker_is_killed_at_the_watchdog_and_its_successor_waits_for_its_end(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    worker = bench.worker("full")
    bench.ask(bench.request(budget_s=5.0))
    bench.wait(POLICY.watchdog_s + 0.01)
    assert bench.killed("full")
    bench.wait(0.5)
    assert bench.worker("full") == worker
    bench.send(WorkerExited(worker=worker, detail="signal 9"))
    assert bench.worker("full") != worker


def test_callers_of_a_silent_worker_are_answered_by_the_next_tier_long_before_the_watchdog(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=0.3))
    bench.wait(POLICY.stall_s + 0.001)
    bench.reply("distilled")
    assert [step.reason for step in bench.outcomes()[-1].degradations] == [Reason.WORKER_HUNG]
    bench.ask()
    assert len(bench.last_batch("distilled").payloads) == 1
    assert bench.engine.pathways[PATHWAY].capability is Capability.DEGRADED


def test_a_large_batch_is_given_the_time_it_took_at_warm_up(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert tier.report is not None
    tier.report = replace(tier.report, latency_s=((1, 0.002), (4, 0.05)))
    bench.ask(*[bench.request(budget_s=5.0) for _ in range(4)])
    bench.wait(3 * POLICY.stall_s)
    assert not tier.stalled()
    bench.wait(POLICY.stall_s + 0.01)
    assert tier.stalled()


def test_after_a_stall_capability_returns_only_when_the_tier_has_been_steady(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=5.0))
    bench.wait(POLICY.stall_s + 0.001)
    assert bench.engine.pathways[PATHWAY].capability is Capability.DEGRADED
    bench.reply("full")
    bench.ask()
    assert bench.last_batch("full").payloads
    assert bench.engine.pathways[PATHWAY].capability is Capability.DEGRADED
    bench.reply("full")
    bench.wait(POLICY.steady_s + 0.001)
    assert bench.engine.pathways[PATHWAY].capability is Capability.FULL


def test_a_worker_that_cannot_be_killed_puts_the_device_in_quarantine(bench: EngineBench) -> None:
    bench.serve("full")
    bench.ask()
    bench.wait(POLICY.watchdog_s + POLICY.abandon_s + 0.1)
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert (bench.state("full"), tier.reason) == ("QUARANTINED", Reason.DEVICE_UNHEALTHY)


def test_the_servers_own_lateness_is_not_held_against_a_worker(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=9.0))
    bench.now_s += POLICY.watchdog_s * 4
    bench.send(TimePassed())
    assert not bench.killed("full")
    bench.wait(POLICY.watchdog_s * 2)
    assert bench.killed("full")


def test_when_every_tier_asked_is_silent_the_rules_in_hand_answer_without_waiting_for_the_deadline(
    bench: EngineBench,
) -> None:
    bench.serve("full", "distilled")
    asked_s = bench.now_s
    bench.ask(bench.request(budget_s=5.0), bench.request(budget_s=0.38, rules=False))
    bench.wait(2 * POLICY.stall_s + 0.01)
    (outcome,) = bench.outcomes()
    assert outcome.answered_by is not None
    assert outcome.answered_by.tier == "rules"
    assert [step.reason for step in outcome.degradations] == [Reason.WORKER_HUNG, Reason.WORKER_HUNG]
    assert bench.now_s - asked_s < 1.0


def test_a_tier_that_was_silent_says_so_in_the_status_until_it_is_steady(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=5.0))
    bench.wait(POLICY.stall_s + 0.001)
    bench.reply("full")
    shown = snapshot(bench.engine, now_s=bench.now_s, wall_s=0.0)[0].tiers[0]
    assert (str(shown.state), shown.reason) == ("SERVING", Reason.WORKER_HUNG)
    bench.wait(POLICY.steady_s + 0.001)
    assert snapshot(bench.engine, now_s=bench.now_s, wall_s=0.0)[0].tiers[0].reason is None
