"""A new version of a tier's bundle: loaded beside, tried on an exact share, promoted or taken back, and never a gap."""

from dataclasses import replace

import pytest

from stepdown.domain.activations import ActivationRefusedError, ActivationState
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import (
    BatchFailed,
    BundleActivated,
    BundleRolledBack,
    DrainStarted,
    TierDisabled,
    WorkerExited,
)
from stepdown.domain.notices import CapabilityChanged, TierMoved
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability
from stepdown.serving.engine.candidate import Candidate, Split
from stepdown.serving.engine.policy import TierSpec
from stepdown.serving.engine.snapshot import snapshot
from stepdown.serving.engine.tier import Tier
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_canary import NEW, OBSERVATION_S, OLD, CanaryBench, version


@pytest.fixture
def bench() -> CanaryBench:
    return CanaryBench()


def refusal(bench: CanaryBench, event: BundleActivated | BundleRolledBack) -> ActivationRefusedError:
    with pytest.raises(ActivationRefusedError) as refused:
        bench.engine.check(event)
    spawned = len(bench.of(SpawnWorker))
    bench.send(event)
    assert len(bench.of(SpawnWorker)) == spawned
    return refused.value


@pytest.mark.parametrize(
    ("share", "of_a_thousand"), [(0.0, 0), (0.001, 1), (0.1, 100), (1 / 3, 333), (0.7, 700), (1.0, 1000)]
)
def test_a_split_is_exact_and_even(share: float, of_a_thousand: int) -> None:
    split = Split(share)
    taken = [split.takes() for _ in range(1000)]
    assert sum(taken) == of_a_thousand
    if share == 0.1:
        assert [index for index, takes in enumerate(taken[:30]) if takes] == [9, 19, 29]


def test_a_candidate_without_a_verified_bundle_is_a_defect_of_ours(bench: CanaryBench) -> None:
    tier = Tier(spec=TierSpec(name="full", bundle=None), pathway=PATHWAY, rank=0, policy=POLICY, now_s=0.0)
    with pytest.raises(TypeError):
        Candidate(tier=tier, replaces=None, share=1.0, observation_s=0.0, now_s=0.0).status()
    assert bench.pathway.candidates == {}


def test_the_new_version_loads_beside_the_one_that_serves_and_takes_over_after_the_trial(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    old_worker = bench.worker("full")
    bench.activate()
    assert bench.of(SpawnWorker)[-1].bundle.sha256 == NEW.sha256
    assert bench.of(KillWorker) == []
    assert bench.status().state is ActivationState.LOADING
    assert bench.ask_and_answer() == bench.first["full"]
    bench.ready("full")
    assert bench.status().state is ActivationState.PROBATION
    bench.prove_new()
    assert bench.status().state is ActivationState.CANARY
    digests = [bench.ask_and_answer() for _ in range(40)]
    assert [index for index, digest in enumerate(digests) if digest == NEW.sha256] == [9, 19, 29, 39]
    assert (bench.status().answers, bench.full.answers) == (4, 41)
    bench.wait(OBSERVATION_S - 1.0)
    assert not any(kill.worker == old_worker for kill in bench.of(KillWorker))
    bench.wait(1.5)
    assert [kill.worker for kill in bench.of(KillWorker)] == [old_worker]
    assert bench.ask_and_answer() == NEW.sha256
    assert bench.told() == [
        ActivationState.LOADING,
        ActivationState.PROBATION,
        ActivationState.CANARY,
        ActivationState.PROMOTED,
    ]
    shown = snapshot(bench.engine, now_s=bench.now_s, wall_s=bench.now_s)[0].tiers[0]
    assert shown.bundle is not None
    assert shown.previous is not None
    assert (shown.bundle.sha256, shown.previous.sha256) == (NEW.sha256, bench.first["full"])
    assert (bench.status().answers, bench.full.answers) == (4, 42)


def test_neither_capability_nor_the_tiers_state_moves_because_of_an_activation(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    before = (len(bench.notices(TierMoved)), len(bench.notices(CapabilityChanged)))
    bench.activate(observation_s=0.0)
    bench.prove_new()
    bench.send(WorkerExited(worker=1, detail="killed"))
    assert bench.told()[-1] is ActivationState.PROMOTED
    assert (len(bench.notices(TierMoved)), len(bench.notices(CapabilityChanged))) == before
    assert bench.pathway.capability is Capability.FULL


def test_a_replaced_version_answers_whoever_asked_it_before_it_ends(bench: CanaryBench) -> None:
    bench.canary(share=0.0)
    old_worker = 1
    for _ in range(3):
        bench.ask(bench.request(budget_s=60.0))
    first, second = bench.batches()[-2:]
    assert {first.worker, second.worker} == {old_worker}
    bench.end_trial()
    # What nobody has sent yet goes to the successor at once; what was sent is waited for.
    third = bench.batches()[-1]
    assert third.worker == bench.worker("full") != old_worker
    assert bench.of(KillWorker) == []
    bench.complete(third)
    assert bench.digest() == NEW.sha256
    bench.complete(first)
    assert bench.digest() == bench.first["full"]
    bench.complete(second)
    assert [kill.worker for kill in bench.of(KillWorker)] == [old_worker]
    assert len(bench.outcomes()) == 3
    bench.send(WorkerExited(worker=old_worker, detail="killed"))
    bench.wait(10.0)
    assert bench.pathway.aside == ()


def test_a_replaced_version_that_hangs_gives_its_callers_to_its_successor(bench: CanaryBench) -> None:
    bench.canary(share=0.0)
    bench.ask(bench.request(budget_s=60.0))
    bench.end_trial()
    bench.wait(POLICY.stall_s + 0.01)
    bench.complete(bench.batches()[-1])
    assert bench.digest() == NEW.sha256
    bench.wait(POLICY.watchdog_s)
    assert bench.pathway.leaving == ()


def test_an_operator_takes_a_trial_back_at_any_time(bench: CanaryBench) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request())
    bench.roll_back()
    assert bench.killed("full")
    bench.complete(bench.batches()[-1])
    assert bench.digest() == bench.first["full"]
    shown = bench.status()
    assert (shown.state, shown.reason, shown.detail) == (
        ActivationState.ROLLED_BACK,
        None,
        "a colleague doubts it",
    )


def test_an_operator_goes_back_after_the_promotion_without_a_gap_and_only_once(bench: CanaryBench) -> None:
    bench.canary(observation_s=0.0)
    bench.send(WorkerExited(worker=1, detail="killed"))
    second = bench.worker("full")
    bench.roll_back()
    assert bench.of(SpawnWorker)[-1].bundle.sha256 == bench.first["full"]
    assert bench.ask_and_answer() == NEW.sha256
    assert not any(kill.worker == second for kill in bench.of(KillWorker))
    bench.prove_new()
    assert bench.ask_and_answer() == bench.first["full"]
    assert any(kill.worker == second for kill in bench.of(KillWorker))
    # Another rollback would bring the doubtful version back: there is nothing to go back to.
    refused = refusal(bench, BundleRolledBack(pathway=PATHWAY, tier="full", detail=""))
    assert refused.reason is RejectReason.ACTIVATION_NOT_POSSIBLE


def test_a_predecessor_known_from_before_the_start_can_be_gone_back_to() -> None:
    bench = CanaryBench(replace(CHAIN.tiers[0], previous=OLD), *CHAIN.tiers[1:])
    bench.serve("full", "distilled")
    bench.roll_back()
    bench.prove_new()
    assert bench.ask_and_answer() == OLD.sha256


def test_a_respawn_after_a_promotion_loads_the_promoted_version(bench: CanaryBench) -> None:
    bench.canary(observation_s=0.0)
    bench.send(WorkerExited(worker=1, detail="killed"))
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.wait(1.0)
    assert bench.of(SpawnWorker)[-1].bundle is bench.full.spec.bundle
    assert bench.of(SpawnWorker)[-1].bundle.sha256 == NEW.sha256


def test_a_second_activation_is_refused_and_names_the_one_under_way(bench: CanaryBench) -> None:
    bench.canary()
    other = BundleActivated(pathway=PATHWAY, tier="full", bundle=version("1.2.0"))
    refused = refusal(bench, other)
    assert refused.reason is RejectReason.ACTIVATION_UNDER_WAY
    assert "1.1.0 is CANARY" in refused.detail
    assert bench.pathway.candidates[0].tier.spec.bundle is not None


@pytest.mark.parametrize(
    ("before", "bundle", "text"),
    [
        (TierDisabled(pathway=PATHWAY, tier="full", detail="maintenance"), NEW, "enable it first"),
        (DrainStarted(), NEW, "stopping"),
        (None, CHAIN.tiers[0].bundle, "serves already"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_stands_in_the_way(
    bench: CanaryBench, before: TierDisabled | DrainStarted | None, bundle: VerifiedBundle, text: str
) -> None:
    bench.serve("full", "distilled")
    if before is not None:
        bench.send(before)
    refused = refusal(bench, BundleActivated(pathway=PATHWAY, tier="full", bundle=bundle))
    assert text in refused.detail
    assert refused.reason is RejectReason.ACTIVATION_NOT_POSSIBLE


@pytest.mark.parametrize("event", [TierDisabled(pathway=PATHWAY, tier="full", detail="maintenance"), DrainStarted()])
def test_disabling_the_tier_or_draining_ends_the_trial(bench: CanaryBench, event: TierDisabled | DrainStarted) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request(budget_s=2.0))
    bench.send(event)
    assert bench.killed("full")
    assert bench.status().state is ActivationState.ROLLED_BACK
    batch = bench.batches()[-1]
    assert batch.worker == (2 if isinstance(event, TierDisabled) else 1)
    bench.complete(batch)
    assert len(bench.outcomes()) == 1


def test_rules_are_exchanged_at_once_and_back(bench: CanaryBench) -> None:
    bench.activate(of="rules")
    bench.ask(bench.request())
    assert bench.digest() == "rules-1.1.0"
    assert bench.state("rules") == "SERVING"
    assert bench.status(of="rules").state is ActivationState.PROMOTED
    bench.roll_back(of="rules")
    bench.ask(bench.request())
    assert bench.digest() == bench.first["rules"]
    assert bench.pathway.tier("rules").previous is None


def test_rules_that_were_refused_serve_once_good_ones_are_activated() -> None:
    bench = CanaryBench(*CHAIN.tiers[:2], TierSpec(name="rules", bundle=None, is_rules=True))
    assert bench.state("rules") == "REFUSED"
    bench.activate(of="rules")
    bench.ask(bench.request())
    assert bench.digest() == "rules-1.1.0"
    assert bench.pathway.capability is Capability.RULES_ONLY


def test_a_lie_on_trial_takes_back_what_the_version_said_and_not_what_the_tier_itself_said(bench: CanaryBench) -> None:
    full, distilled, rules = CHAIN.tiers
    bench = CanaryBench(full, distilled, rules)
    bench.serve("full", "distilled")
    bench.send(
        BundleActivated(
            pathway=PATHWAY,
            tier="distilled",
            bundle=version("1.1.0", of="distilled"),
            canary_share=1.0,
            observation_s=60.0,
        )
    )
    bench.ready("distilled")
    for _ in range(POLICY.probation_probes):
        bench.prove("distilled")
        bench.wait(POLICY.probation_probe_period_s)
    bench.ask(bench.request(budget_s=0.045))
    bench.wait(0.034)
    bench.reply("distilled")
    assert bench.outcomes() == []
    probe = [each for each in bench.of(DispatchProbe) if each.worker == bench.worker("distilled")][-1]
    bench.send(
        BatchFailed(
            worker=probe.worker, sequence=probe.sequence, reason=Reason.EXECUTION_FAILED, detail="FAIL", sticky=True
        )
    )
    bench.send(WorkerExited(worker=bench.worker("distilled"), detail="signal 9"))
    bench.wait(0.02)
    assert len(bench.outcomes()) == 1
