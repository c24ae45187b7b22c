"""Whatever goes wrong with a version on trial costs nobody an answer, and ends the trial."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from stepdown.domain.activations import ActivationState
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, SpawnWorker
from stepdown.domain.engine_events import (
    BatchFailed,
    BundleActivated,
    WorkerExited,
    WorkerRefused,
)
from stepdown.domain.notices import TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.policy import TierSpec
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_canary import NEW, OBSERVATION_S, CanaryBench


@pytest.fixture
def bench() -> CanaryBench:
    return CanaryBench()


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
    bench.ask()
    assert bench.batches()[-1].worker == again.worker
    bench.complete(bench.batches()[-1])
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
