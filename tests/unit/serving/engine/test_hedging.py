from dataclasses import replace

from stepdown.domain.engine_effects import DispatchProbe
from stepdown.domain.engine_events import WorkerExited
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from tests.simulation.chain import PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench

INVALID = RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
STRICT = replace(POLICY, hedge_share=0.25, hedge_burst_rows=2, stall_s=0.3, maximum_queue_rows=400)


def test_asking_twice_to_be_safe_is_capped_and_beyond_it_the_rules_answer() -> None:
    bench = EngineBench(policy=STRICT)
    bench.serve("full", "distilled")
    bench.ask(*(bench.request(budget_s=0.1) for _ in range(40)))
    bench.wait(0.1)
    outcomes = bench.outcomes()
    assert len(outcomes) == 40
    hedged = [each for each in outcomes if each.degradations[1].reason is Reason.DEADLINE_TOO_SHORT]
    withheld = [each for each in outcomes if each.degradations[1].reason is Reason.QUEUE_FULL]
    # Two at once, and nothing was earned beyond the burst while the forty came in.
    assert (len(hedged), len(withheld)) == (2, 38)
    assert {each.answered_by.tier for each in outcomes if each.answered_by is not None} == {"rules"}


def test_a_case_that_was_not_hedged_still_steps_down_when_its_tier_fails() -> None:
    bench = EngineBench(policy=replace(STRICT, hedge_burst_rows=0))
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=0.1))
    bench.wait(0.085)
    bench.reply("full", INVALID)
    bench.reply("distilled")
    (outcome,) = bench.outcomes()
    assert outcome.answered_by is not None
    assert outcome.answered_by.tier == "distilled"


def test_a_tier_that_was_not_hedged_until_it_was_too_late_is_named_with_what_withheld_it() -> None:
    bench = EngineBench(policy=replace(STRICT, hedge_burst_rows=0))
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=0.1))
    bench.wait(0.0895)
    bench.reply("full", INVALID)
    (outcome,) = bench.outcomes()
    assert outcome.answered_by is not None
    assert outcome.answered_by.tier == "rules"
    assert outcome.degradations[1].reason is Reason.QUEUE_FULL


def test_a_tier_that_is_asked_at_last_and_too_late_is_named_with_what_withheld_it() -> None:
    bench = EngineBench(policy=replace(STRICT, hedge_burst_rows=0, stall_s=0.084))
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=0.1))
    bench.wait(0.1)
    (outcome,) = bench.outcomes()
    assert [attempt.tier for attempt in outcome.attempts] == ["full", "distilled"]
    assert outcome.degradations[1].reason is Reason.QUEUE_FULL


def test_a_next_tier_that_is_gone_when_its_moment_comes_costs_nothing() -> None:
    bench = EngineBench(policy=replace(STRICT, hedge_burst_rows=1))
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=0.1), bench.request(budget_s=0.1))
    bench.send(WorkerExited(worker=bench.worker("distilled"), detail="signal 9"))
    bench.wait(0.1)
    reasons = [outcome.degradations[1].reason for outcome in bench.outcomes()]
    assert reasons == [Reason.STARTING, Reason.STARTING]


def test_the_next_tier_is_asked_earlier_the_longer_its_queue_is() -> None:
    bench = EngineBench(policy=replace(STRICT, hedge_burst_rows=100))
    bench.serve("full", "distilled")
    bench.ask(*(bench.request(budget_s=10.0, minimum_tier="", only_tier="distilled") for _ in range(30)))
    tier = bench.engine.pathways[PATHWAY].tier("distilled")
    request = bench.request(budget_s=0.2)
    bench.ask(request)
    wait_s = tier.wait_s(request.urgency, "")
    slow_s = tier.latency.quantile_s(0.95) or 0.0
    hedge_s = 0.2 - POLICY.reserve_s - slow_s - max(slow_s, wait_s) - POLICY.hedge_margin_s
    assert wait_s > slow_s
    bench.wait(hedge_s - 0.001)
    assert tier.queue.rows + sum(flight.rows for flight in tier.flights.values()) == 30
    bench.wait(0.002)
    assert tier.queue.rows + sum(flight.rows for flight in tier.flights.values()) == 31


def test_a_tier_that_nobody_asks_because_it_was_slow_is_proved_out_of_turn() -> None:
    bench = EngineBench(policy=replace(POLICY, probe_period_s=30.0, early_probe_s=0.1))
    bench.serve("full", "distilled")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    for _ in range(200):
        tier.latency.observe(0.3)
    before_s = bench.now_s
    while bench.now_s < before_s + 2.0:
        bench.ask(bench.request(budget_s=0.2))
        if bench.of(DispatchProbe)[-1].sequence in tier.flights:
            bench.prove("full")
        if tier.queue.rows or any(flight.kind is not None for flight in tier.flights.values()):
            return
        bench.wait(0.02)
    raise AssertionError("the tier was never asked again")
