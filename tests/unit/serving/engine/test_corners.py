"""Events and moments that no ordinary day brings."""

from dataclasses import replace

from stepdown.domain.engine_effects import KillWorker
from stepdown.domain.engine_events import TierDisabled, WorkerReady
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from tests.simulation.chain import CHAIN, PATHWAY
from tests.unit.serving.engine.bench_engine import EngineBench

REPORT = WorkerReport(
    pid=1,
    execution_provider=ExecutionProvider.CPU,
    device="cpu",
    placement_share=1.0,
    known_answer_error=0.0,
    latency_s=((1, 0.002),),
)


def test_a_worker_nobody_ordered_is_not_taken_in() -> None:
    bench = EngineBench()
    assert bench.send(WorkerReady(worker=99, report=REPORT)) == []


def test_a_breaker_rests_only_a_tier_that_works() -> None:
    bench = EngineBench()
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert bench.engine._supervision.open_breaker(tier, 0.0) == ()  # noqa: SLF001 - no event leads here
    assert bench.state("full") == "STARTING"


def test_ending_the_worker_of_a_disabled_tier_ends_nothing_twice() -> None:
    bench = EngineBench()
    bench.send(TierDisabled(pathway=PATHWAY, tier="full", detail="maintenance"))
    tier = bench.engine.pathways[PATHWAY].tier("full")
    killed = len(bench.of(KillWorker))
    owed = bench.engine._supervision.kill(tier, reason=Reason.WORKER_HUNG, detail="", now_s=0.0)  # noqa: SLF001
    assert owed == ()
    assert len(bench.of(KillWorker)) == killed
    assert bench.state("full") == "DISABLED"


def test_a_tier_without_a_bundle_has_no_name_to_answer_under() -> None:
    refused = TierSpec(name="full", bundle=None, refusal=Reason.SIGNATURE_INVALID)
    bench = EngineBench(pathways=(PathwaySpec(name=PATHWAY, tiers=(refused, *CHAIN.tiers[1:])),))
    assert bench.engine.pathways[PATHWAY].tier("full").identity_on(ExecutionProvider.CPU, "cpu") is None


def test_of_two_answers_held_for_a_third_tier_the_better_one_is_kept() -> None:
    full, distilled, rules = CHAIN.tiers
    chain = PathwaySpec(name=PATHWAY, tiers=(full, distilled, replace(distilled, name="spare"), rules))
    bench = EngineBench(pathways=(chain,))
    bench.serve("full", "distilled", "spare")
    bench.ask(bench.request(budget_s=0.045))
    bench.wait(0.034)
    bench.reply("distilled")
    bench.reply("spare")
    bench.wait(0.02)
    identity = bench.outcomes()[-1].answered_by
    assert identity is not None
    assert identity.tier == "distilled"


def test_an_answer_held_for_a_tier_that_falls_silent_is_given_before_the_deadline() -> None:
    bench = EngineBench()
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=5.0, rules=False))
    bench.wait(0.010)
    bench.ask(bench.request(budget_s=0.055))
    bench.wait(0.0375)
    bench.reply("distilled")
    assert bench.outcomes() == []
    bench.wait(0.003)
    (outcome,) = bench.outcomes()
    assert outcome.answered_by is not None
    assert outcome.answered_by.tier == "distilled"
    assert [step.reason for step in outcome.degradations] == [Reason.WORKER_HUNG]
