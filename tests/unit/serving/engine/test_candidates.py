"""A new version of a tier's bundle: loaded beside, tried on an exact share, promoted or taken back, and never a gap."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from stepdown.domain.activations import ActivationRefusedError, ActivationState, ActivationStatus
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, Effect, KillWorker, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    BundleActivated,
    BundleRolledBack,
    DrainStarted,
    ProbeCompleted,
    TierDisabled,
    TimePassed,
    WorkerExited,
    WorkerRefused,
)
from stepdown.domain.notices import ActivationMoved, CapabilityChanged, TierMoved
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.candidate import Candidate, Split
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from stepdown.serving.engine.snapshot import snapshot
from stepdown.serving.engine.tier import Tier
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench

OBSERVATION_S = 5.0
RESULT = RowsResult(outputs={"probability": b"1234"})


def version(number: str, *, of: str = "full") -> VerifiedBundle:
    """The tier's bundle in another version."""
    bundle = next(tier.bundle for tier in CHAIN.tiers if tier.name == of)
    assert bundle is not None
    return replace(bundle, manifest=replace(bundle.manifest, version=number), sha256=f"{of}-{number}")


NEW = version("1.1.0")
OLD = version("1.0.0")


class CanaryBench(EngineBench):
    """A chain that serves, and the hand that brings versions in."""

    def __init__(self, *specs: TierSpec) -> None:
        super().__init__(pathways=(PathwaySpec(name=PATHWAY, tiers=specs or CHAIN.tiers),))
        self.mute: set[int] = set()
        self._proved = 0
        self.first = {tier.name: tier.bundle.sha256 for tier in CHAIN.tiers if tier.bundle is not None}

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass; every probe but a mute worker's is answered well as soon as it is sent."""
        end_s, effects = self.now_s + seconds, self._prove_all()
        while self.engine.next_due_s() <= end_s:
            self.now_s = max(self.now_s, self.engine.next_due_s())
            effects += self.send(TimePassed()) + self._prove_all()
        self.now_s = max(self.now_s, end_s)
        return effects

    def _prove_all(self) -> list[Effect]:
        effects: list[Effect] = []
        for probe in self.of(DispatchProbe)[self._proved :]:
            if probe.worker not in self.mute:
                event = ProbeCompleted(worker=probe.worker, sequence=probe.sequence, error="", compute_s=0.001)
                effects += self.send(event)
        self._proved = len(self.of(DispatchProbe))
        return effects

    @property
    def pathway(self) -> Pathway:
        return self.engine.pathways[PATHWAY]

    @property
    def full(self) -> Tier:
        return self.pathway.tier("full")

    def activate(self, *, share: float = 0.1, observation_s: float = OBSERVATION_S, of: str = "full") -> None:
        new = version("1.1.0", of=of)
        event = BundleActivated(pathway=PATHWAY, tier=of, bundle=new, canary_share=share, observation_s=observation_s)
        self.engine.check(event)
        self.send(event)

    def roll_back(self, *, of: str = "full") -> None:
        event = BundleRolledBack(pathway=PATHWAY, tier=of, detail="a colleague doubts it")
        self.engine.check(event)
        self.send(event)

    def canary(self, *, share: float = 0.1, observation_s: float = OBSERVATION_S) -> None:
        """Both models serve, and a new version of the first is on trial."""
        self.serve("full", "distilled")
        self.activate(share=share, observation_s=observation_s)
        self.prove_new()

    def prove_new(self) -> None:
        self.ready("full")
        self.wait((POLICY.probation_probes + 1) * POLICY.probation_probe_period_s)

    def end_trial(self) -> None:
        """The time of observation is over."""
        self.pathway.candidates[0].observed_until_s = self.now_s
        self.send(TimePassed())

    def status(self, *, of: str = "full") -> ActivationStatus:
        tiers = snapshot(self.engine, now_s=self.now_s, wall_s=self.now_s)[0].tiers
        activation = next(tier.activation for tier in tiers if tier.name == of)
        assert activation is not None
        return activation

    def told(self) -> list[ActivationState]:
        return [
            notice.activation.state for notice in self.notices(ActivationMoved) if isinstance(notice, ActivationMoved)
        ]

    def batches(self) -> list[DispatchBatch]:
        return [batch for batch in self.of(DispatchBatch) if batch.kind is BatchKind.LIVE]

    def complete(self, batch: DispatchBatch, *results: RowsResult) -> None:
        given = results or (RESULT,) * len(batch.payloads)
        self.send(BatchCompleted(worker=batch.worker, sequence=batch.sequence, results=given, compute_s=0.001))

    def ask_and_answer(self) -> str:
        """One request, answered at once; returns the digest of the version that answered."""
        before = len(self.batches())
        self.ask(self.request())
        (batch,) = self.batches()[before:]
        self.complete(batch)
        identity = self.outcomes()[-1].answered_by
        assert identity is not None
        return identity.bundle.sha256

    def digest(self) -> str:
        """Who answered last."""
        identity = self.outcomes()[-1].answered_by
        assert identity is not None
        return identity.bundle.sha256


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


def dies(bench: CanaryBench, batch: DispatchBatch) -> None:
    bench.send(WorkerExited(worker=batch.worker, detail="signal 9"))


def fails(bench: CanaryBench, batch: DispatchBatch) -> None:
    reason = Reason.EXECUTION_FAILED
    bench.send(BatchFailed(worker=batch.worker, sequence=batch.sequence, reason=reason, detail="FAIL", sticky=False))


def lies(bench: CanaryBench, batch: DispatchBatch) -> None:
    bench.complete(batch, RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite"))


def hangs(bench: CanaryBench, batch: DispatchBatch) -> None:
    bench.mute.add(batch.worker)
    bench.wait(POLICY.stall_s + 0.01)
    assert bench.status().state is ActivationState.CANARY


def fails_its_probe(bench: CanaryBench, batch: DispatchBatch) -> None:
    bench.mute.add(batch.worker)
    while not any(flight.kind is None for flight in bench.pathway.candidates[0].tier.flights.values()):
        bench.pathway.candidates[0].tier.head().running_s = bench.now_s  # type: ignore[union-attr]
        bench.wait(0.01)
    bench.prove("full", error="off by 3 tolerances")


@pytest.mark.parametrize(
    ("goes_wrong", "reason"),
    [
        (dies, Reason.WORKER_LOST),
        (fails, Reason.EXECUTION_FAILED),
        (lies, Reason.OUTPUT_INVALID),
        (hangs, Reason.WORKER_HUNG),
        (fails_its_probe, Reason.KNOWN_ANSWER_MISMATCH),
    ],
)
def test_whatever_goes_wrong_with_a_version_on_trial_its_callers_are_answered_and_the_trial_ends(
    bench: CanaryBench, goes_wrong: Callable[[CanaryBench, DispatchBatch], None], reason: Reason
) -> None:
    bench.canary(share=1.0, observation_s=60.0)
    bench.ask(bench.request(budget_s=2.0))
    asked = bench.batches()[-1]
    assert asked.worker == bench.worker("full") == 3
    goes_wrong(bench, asked)
    again = bench.batches()[-1]
    assert again.worker == 1
    bench.complete(again)
    assert bench.digest() == bench.first["full"]
    assert bench.outcomes()[-1].degradations == ()
    assert [attempt.outcome is None for attempt in bench.outcomes()[-1].attempts] == [False, True]
    bench.wait(POLICY.watchdog_s)
    shown = bench.status()
    assert (shown.state, shown.reason) == (ActivationState.ROLLED_BACK, reason)
    assert bench.told()[-1] is ActivationState.ROLLED_BACK
    assert (bench.state("full"), bench.pathway.capability) == ("SERVING", Capability.FULL)
    assert_nothing_is_started_in_its_place(bench)


def test_a_version_that_cannot_be_loaded_is_taken_back_and_nobody_notices(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    bench.activate(share=1.0)
    reason = Reason.PROVIDER_UNAVAILABLE
    bench.send(WorkerRefused(worker=bench.worker("full"), reason=reason, detail="no room on the device"))
    shown = bench.status()
    assert (shown.state, shown.reason, shown.detail) == (ActivationState.ROLLED_BACK, reason, "no room on the device")
    assert bench.ask_and_answer() == bench.first["full"]
    assert_nothing_is_started_in_its_place(bench)


def assert_nothing_is_started_in_its_place(bench: CanaryBench) -> None:
    spawned = len(bench.of(SpawnWorker))
    bench.send(WorkerExited(worker=3, detail="killed"))
    bench.wait(POLICY.unavailable_retry_s + 1.0)
    assert len(bench.of(SpawnWorker)) == spawned
    assert bench.ask_and_answer() == bench.first["full"]


def test_an_answer_that_comes_late_from_a_version_on_trial_still_counts_if_it_is_the_first(bench: CanaryBench) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request(budget_s=2.0))
    slow = bench.batches()[-1]
    bench.wait(POLICY.stall_s + 0.01)
    again = bench.batches()[-1]
    assert again.worker != slow.worker
    bench.complete(slow)
    assert bench.digest() == NEW.sha256
    bench.complete(again)
    assert len(bench.outcomes()) == 1
    # It is given nothing and is not promoted in the moment after it was silent.
    bench.end_trial()
    assert bench.status().state is ActivationState.CANARY
    bench.wait(POLICY.steady_s + 0.01)
    assert bench.status().state is ActivationState.PROMOTED


def test_a_version_on_trial_is_not_promoted_while_it_is_silent(bench: CanaryBench) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request(budget_s=2.0))
    bench.wait(POLICY.stall_s + 0.01)
    bench.end_trial()
    assert bench.status().state is ActivationState.CANARY


def test_a_caller_whose_version_fails_goes_to_the_next_tier_when_the_tier_itself_cannot(bench: CanaryBench) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request(budget_s=5.0))
    bench.send(WorkerExited(worker=1, detail="signal 9"))
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.reply("distilled")
    outcome = bench.outcomes()[-1]
    assert [(each.tier, each.reason) for each in outcome.degradations] == [("full", Reason.WORKER_LOST)]


def test_a_version_on_trial_serves_its_share_while_the_tier_itself_cannot_serve(bench: CanaryBench) -> None:
    refused = TierSpec(
        name="full",
        bundle=None,
        refusal=Reason.SIGNATURE_INVALID,
        execution_providers=CHAIN.tiers[0].execution_providers,
    )
    bench = CanaryBench(refused, *CHAIN.tiers[1:])
    bench.serve("distilled")
    bench.activate(share=0.5)
    assert bench.ask_and_answer() == bench.first["distilled"]
    assert bench.outcomes()[-1].degradations[0].reason is Reason.SIGNATURE_INVALID
    bench.prove_new()
    assert [bench.ask_and_answer() for _ in range(4)] == [bench.first["distilled"], NEW.sha256] * 2
    bench.wait(OBSERVATION_S)
    assert bench.pathway.capability is Capability.FULL
    told = [notice for notice in bench.notices(TierMoved) if isinstance(notice, TierMoved)]
    moved = [notice.state for notice in told if notice.tier == "full"]
    assert moved[-3:] == [TierState.STARTING, TierState.PROBATION, TierState.SERVING]
    assert bench.full.previous is None


def test_a_plan_without_the_tier_is_kept_while_the_version_on_trial_is_silent_too(bench: CanaryBench) -> None:
    bench.canary(share=1.0)
    bench.ask(bench.request(budget_s=2.0))
    bench.wait(POLICY.stall_s + 0.01)
    bench.send(WorkerExited(worker=1, detail="signal 9"))
    bench.ask(bench.request(budget_s=2.0))
    bench.reply("distilled")
    assert bench.outcomes()[-1].degradations[0].reason is Reason.WORKER_LOST


def test_more_rows_than_the_new_version_takes_go_to_the_one_that_takes_them(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    spec = NEW.manifest.model
    assert spec is not None
    small = replace(NEW, manifest=replace(NEW.manifest, model=replace(spec, maximum_batch=1)))
    bench.send(BundleActivated(pathway=PATHWAY, tier="full", bundle=small, canary_share=1.0, observation_s=9.0))
    bench.prove_new()
    bench.ask(bench.request(rows=2))
    assert bench.batches()[-1].worker == 1


def test_live_input_is_copied_to_a_version_on_probation_and_a_bad_result_ends_it(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    bench.activate()
    bench.ready("full")
    bench.prove("full")
    bench.ask(bench.request())
    shadow = [batch for batch in bench.of(DispatchBatch) if batch.kind is BatchKind.SHADOW][-1]
    assert shadow.worker == bench.worker("full")
    bench.complete(shadow, RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite"))
    assert bench.status().state is ActivationState.ROLLED_BACK
    assert bench.killed("full")


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
