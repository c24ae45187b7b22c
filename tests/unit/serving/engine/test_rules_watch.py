"""Rules prove themselves as workers do: asked each period, closed when they fail, loaded afresh, proved again."""

from dataclasses import replace

from stepdown.domain.engine_effects import AnswerRequest, ProveRules
from stepdown.domain.engine_events import (
    BundleActivated,
    DrainStarted,
    RulesProved,
    TierDisabled,
    TierEnabled,
    WorkerExited,
)
from stepdown.domain.notices import ProbeFinished, TierFault
from stepdown.domain.reasons import Reason
from stepdown.domain.status import TierStatus
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.policy import PathwaySpec
from stepdown.serving.engine.snapshot import snapshot
from tests.simulation.chain import PATHWAY, POLICY, RULES, version_of
from tests.unit.serving.engine.bench_engine import EngineBench

WRONG = "news2@1.0.0: single red: not as proven: band"
TOLD_S = 0.001


def orders(bench: EngineBench) -> list[ProveRules]:
    return bench.of(ProveRules)


def proof(bench: EngineBench, *, error: str = "", order: int = -1) -> None:
    bench.now_s += TOLD_S
    asked = orders(bench)[order]
    bench.send(RulesProved(pathway=PATHWAY, tier="rules", sequence=asked.sequence, error=error))


def rules(bench: EngineBench) -> TierStatus:
    (pathway,) = snapshot(bench.engine, now_s=bench.now_s, wall_s=bench.now_s)
    return pathway.tiers[-1]


def capability(bench: EngineBench) -> Capability:
    return bench.engine.pathways[PATHWAY].capability


def through_probation(bench: EngineBench) -> None:
    for _ in range(POLICY.probation_probes):
        proof(bench)
        bench.wait(POLICY.probation_probe_period_s)
    bench.wait(POLICY.maximum_dwell_s)


def test_they_are_asked_at_once_and_then_each_period_and_their_age_is_shown() -> None:
    bench = EngineBench()
    assert [order.anew for order in orders(bench)] == [False]
    assert rules(bench).probe_age_s is None
    proof(bench)
    for number in range(2, 5):
        bench.wait(POLICY.probe_period_s)
        assert len(orders(bench)) == number
        assert rules(bench).probe_age_s is not None
        proof(bench)
    assert rules(bench).state is TierState.SERVING
    assert len(bench.notices(ProbeFinished)) == 4


def test_a_proof_that_is_slow_to_come_back_is_waited_for_and_not_asked_again() -> None:
    bench = EngineBench()
    bench.wait(5 * POLICY.probe_period_s)
    assert len(orders(bench)) == 1
    proof(bench)
    bench.wait(POLICY.probe_period_s)
    assert len(orders(bench)) == 2


def test_rules_that_fail_are_closed_with_an_alarm_and_the_pathway_says_so() -> None:
    bench = EngineBench()
    assert capability(bench) is Capability.RULES_ONLY
    proof(bench, error=WRONG)
    status = rules(bench)
    assert (status.state, status.reason, status.probe_error) == (
        TierState.SUSPENDED,
        Reason.KNOWN_ANSWER_MISMATCH,
        WRONG,
    )
    assert capability(bench) is Capability.NONE
    (fault,) = (each for each in bench.notices(TierFault) if isinstance(each, TierFault))
    assert (fault.tier, fault.reason, fault.detail) == ("rules", Reason.KNOWN_ANSWER_MISMATCH, WRONG)


def test_a_broken_lowest_tier_is_closed_while_the_first_is_fine() -> None:
    bench = EngineBench()
    bench.serve("full")
    proof(bench, error=WRONG)
    assert capability(bench) is Capability.FULL
    assert rules(bench).state is TierState.SUSPENDED


def test_what_they_had_said_before_they_failed_is_given_to_nobody_even_when_others_serve() -> None:
    bench = EngineBench()
    bench.serve("full")
    bench.ask()
    proof(bench, error=WRONG)
    bench.send(BundleActivated(pathway=PATHWAY, tier="rules", bundle=version_of(PATHWAY, "rules", "2.0.0")))
    assert rules(bench).state is TierState.SERVING
    bench.ask()
    bench.send(WorkerExited(worker=bench.worker("full"), detail="simulated"))
    before, after = (answer.outcome for answer in bench.of(AnswerRequest))
    assert (before.answered_by, before.failure is None) == (None, False)
    assert after.answered_by is not None
    assert after.answered_by.bundle.version == "2.0.0"


def test_they_are_loaded_afresh_after_a_wait_and_serve_after_probation() -> None:
    bench = EngineBench()
    proof(bench, error=WRONG)
    assert not orders(bench)[-1].anew
    bench.wait(POLICY.backoff.initial_s * 2)
    assert orders(bench)[-1].anew
    assert rules(bench).state is TierState.STARTING
    proof(bench)
    assert rules(bench).state is TierState.PROBATION
    assert not orders(bench)[-1].anew
    through_probation(bench)
    status = rules(bench)
    assert (status.state, status.restarts, status.probe_error) == (TierState.SERVING, 1, "")
    bench.wait(POLICY.stable_s + POLICY.probe_period_s)
    proof(bench)
    assert bench.engine.pathways[PATHWAY].tier("rules").attempt == 0


def test_rules_that_cannot_be_mended_end_in_quarantine_until_an_operator_says_otherwise() -> None:
    bench = EngineBench()
    for _ in range(POLICY.fault_limit + 1):
        proof(bench, error=WRONG)
        bench.wait(2 * POLICY.backoff.maximum_s)
    assert rules(bench).state is TierState.QUARANTINED
    asked = len(orders(bench))
    bench.wait(10 * POLICY.backoff.maximum_s)
    assert len(orders(bench)) == asked
    bench.send(TierEnabled(pathway=PATHWAY, tier="rules"))
    bench.wait(0.0)
    assert orders(bench)[-1].anew
    proof(bench)
    through_probation(bench)
    assert rules(bench).state is TierState.SERVING


def test_disabled_rules_are_not_asked_and_come_back_at_once_when_they_were_whole() -> None:
    bench = EngineBench()
    proof(bench)
    bench.send(TierDisabled(pathway=PATHWAY, tier="rules", detail="test"))
    bench.wait(3 * POLICY.probe_period_s)
    assert len(orders(bench)) == 1
    bench.send(TierEnabled(pathway=PATHWAY, tier="rules"))
    assert rules(bench).state is TierState.SERVING
    bench.wait(0.0)
    assert len(orders(bench)) == 2


def test_a_failure_told_while_they_are_disabled_is_remembered() -> None:
    bench = EngineBench()
    bench.send(TierDisabled(pathway=PATHWAY, tier="rules", detail="test"))
    proof(bench, error=WRONG)
    assert rules(bench).state is TierState.DISABLED
    bench.send(TierEnabled(pathway=PATHWAY, tier="rules"))
    bench.wait(0.0)
    assert rules(bench).state is TierState.STARTING
    assert orders(bench)[-1].anew


def test_the_proof_of_rules_that_were_exchanged_meanwhile_condemns_nobody() -> None:
    bench = EngineBench()
    new = version_of(PATHWAY, "rules", "2.0.0")
    bench.send(BundleActivated(pathway=PATHWAY, tier="rules", bundle=new))
    proof(bench, error=WRONG, order=0)
    assert rules(bench).state is TierState.SERVING
    bench.wait(0.0)
    assert orders(bench)[-1].bundle is new


def test_nothing_is_loaded_afresh_while_the_server_stops() -> None:
    bench = EngineBench()
    proof(bench, error=WRONG)
    bench.send(DrainStarted())
    bench.wait(4 * POLICY.backoff.maximum_s)
    assert rules(bench).state is TierState.SUSPENDED


def test_rules_that_were_refused_are_asked_nothing() -> None:
    refused = replace(RULES, bundle=None, refusal=Reason.SIGNATURE_INVALID)
    bench = EngineBench(pathways=(PathwaySpec(name=PATHWAY, tiers=(refused,)),))
    bench.wait(3 * POLICY.probe_period_s)
    bench.send(TierDisabled(pathway=PATHWAY, tier="rules", detail="test"))
    bench.send(TierEnabled(pathway=PATHWAY, tier="rules"))
    bench.wait(1.0)
    assert orders(bench) == []
