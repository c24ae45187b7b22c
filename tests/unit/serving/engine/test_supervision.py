from dataclasses import replace

import pytest

from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    DrainStarted,
    ProbeCompleted,
    TierDisabled,
    TierEnabled,
    WorkerExited,
    WorkerRefused,
)
from stepdown.domain.errors import IllegalMoveError
from stepdown.domain.notices import CapabilityChanged, TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import Capability
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench


@pytest.fixture
def bench() -> EngineBench:
    return EngineBench()


def test_every_model_tier_is_spawned_and_the_rules_serve_from_the_first_moment(bench: EngineBench) -> None:
    assert [order.tier for order in bench.of(SpawnWorker)] == ["full", "distilled"]
    assert bench.state("rules") == "SERVING"
    assert bench.engine.pathways[PATHWAY].capability is Capability.RULES_ONLY


def test_a_new_worker_serves_after_its_probes_and_not_before(bench: EngineBench) -> None:
    bench.ready("full")
    for _ in range(POLICY.probation_probes - 1):
        bench.prove("full")
        bench.wait(POLICY.probation_probe_period_s)
    assert bench.state("full") == "PROBATION"
    bench.prove("full")
    assert bench.state("full") == "SERVING"


def test_a_refused_bundle_is_never_spawned_and_keeps_its_reason() -> None:
    refused = TierSpec(name="full", bundle=None, refusal=Reason.SIGNATURE_INVALID, refusal_detail="FILE_CHANGED")
    bench = EngineBench(pathways=(PathwaySpec(name=PATHWAY, tiers=(refused, *CHAIN.tiers[1:])),))
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert (bench.state("full"), tier.reason, tier.detail) == ("REFUSED", Reason.SIGNATURE_INVALID, "FILE_CHANGED")
    assert [order.tier for order in bench.of(SpawnWorker)] == ["distilled"]
    bench.ask()
    assert bench.outcomes()[-1].degradations[0].reason is Reason.SIGNATURE_INVALID


def test_a_dead_worker_is_replaced_after_a_growing_wait(bench: EngineBench) -> None:
    waits = []
    for _ in range(3):
        died_s = bench.now_s
        before = len(bench.of(SpawnWorker))
        bench.send(WorkerExited(worker=bench.worker("full"), detail="exit 1"))
        while len(bench.of(SpawnWorker)) == before:
            bench.wait(0.001)
        waits.append(bench.now_s - died_s)
    assert waits[0] < waits[1] < waits[2]


def test_after_a_fault_the_new_worker_must_also_dwell_in_probation(bench: EngineBench) -> None:
    bench.serve("full")
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.wait(0.05)
    ready_s = bench.now_s
    bench.ready("full")
    while bench.state("full") != "SERVING":
        bench.wait(0.001)
        if bench.engine.pathways[PATHWAY].tier("full").flights:
            bench.prove("full")
    assert bench.now_s - ready_s >= POLICY.probation_dwell_s


def test_too_many_faults_put_the_tier_in_quarantine_until_an_operator_frees_it(bench: EngineBench) -> None:
    for _ in range(POLICY.fault_limit):
        bench.send(WorkerExited(worker=bench.worker("full"), detail="exit 1"))
        bench.wait(1.3)
    assert bench.state("full") == "QUARANTINED"
    spawned = len(bench.of(SpawnWorker))
    bench.wait(60.0)
    assert len(bench.of(SpawnWorker)) == spawned
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    assert bench.state("full") == "STARTING"
    assert len(bench.of(SpawnWorker)) == spawned + 1


def test_a_missing_device_is_looked_for_now_and_then_and_never_quarantined(bench: EngineBench) -> None:
    for _ in range(POLICY.fault_limit + 2):
        worker = bench.worker("full")
        reason = Reason.PROVIDER_UNAVAILABLE
        bench.send(WorkerRefused(worker=worker, reason=reason, detail="no CUDA device"))
        bench.send(WorkerExited(worker=worker, detail="exit 0"))
        assert bench.state("full") == "SUSPENDED"
        bench.wait(POLICY.unavailable_retry_s + 0.01)
    assert bench.state("full") == "STARTING"


def test_a_failed_probe_ends_the_worker(bench: EngineBench) -> None:
    bench.serve("full")
    bench.wait(POLICY.probe_period_s)
    bench.prove("full", error="off by 3 tolerances")
    assert bench.killed("full")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert (bench.state("full"), tier.reason) == ("SUSPENDED", Reason.KNOWN_ANSWER_MISMATCH)
    assert tier.probe_error == "off by 3 tolerances"


def test_lower_tiers_are_probed_while_the_first_serves(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    before = len([probe for probe in bench.of(DispatchProbe) if probe.worker == bench.worker("distilled")])
    bench.wait(POLICY.probe_period_s + 0.01)
    after = [probe for probe in bench.of(DispatchProbe) if probe.worker == bench.worker("distilled")]
    assert len(after) == before + 1


def test_bad_results_open_the_breaker_and_a_trial_closes_it(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(*[bench.request() for _ in range(4)])
    bad = RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
    bench.reply("full", bad, bad, bad, bad)
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert (bench.state("full"), tier.reason) == ("SUSPENDED", Reason.BREAKER_OPEN)
    bench.prove("full")
    bench.wait(0.11)
    assert bench.state("full") == "PROBATION"
    for _ in range(40):
        if tier.flights:
            bench.prove("full")
        bench.wait(0.05)
    assert bench.state("full") == "SERVING"
    assert not bench.killed("full")


def test_probation_gets_copies_of_live_requests_and_bad_copies_end_the_trial(bench: EngineBench) -> None:
    bench.serve("distilled", "full")
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.wait(0.05)
    bench.ready("full")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    bad = RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
    for _ in range(4):
        tier.probation_until_s = bench.now_s + 1.0
        if tier.flights:
            bench.prove("full")
        tier.shadow_due_s = bench.now_s
        bench.ask()
        assert bench.last_batch("full").kind is BatchKind.SHADOW
        bench.reply("full", bad)
        bench.reply("distilled")
    assert (bench.state("full"), tier.reason) == ("SUSPENDED", Reason.BREAKER_OPEN)
    assert [outcome.answered_by.tier for outcome in bench.outcomes() if outcome.answered_by] == ["distilled"] * 4


@pytest.mark.parametrize("swap", ["probe for batch", "batch for probe", "short"])
def test_a_worker_that_answers_what_was_not_asked_is_ended(bench: EngineBench, swap: str) -> None:
    bench.serve("full", "distilled")
    if swap == "batch for probe":
        bench.wait(POLICY.probe_period_s)
        probe = [probe for probe in bench.of(DispatchProbe) if probe.worker == bench.worker("full")][-1]
        event = BatchCompleted(worker=probe.worker, sequence=probe.sequence, results=(), compute_s=0.0)
        bench.send(event)
    else:
        bench.ask()
        batch = bench.last_batch("full")
        worker, sequence = batch.worker, batch.sequence
        if swap == "short":
            bench.send(BatchCompleted(worker=worker, sequence=sequence, results=(), compute_s=0.0))
        else:
            bench.send(ProbeCompleted(worker=worker, sequence=sequence, error="", compute_s=0.0))
        bench.reply("distilled")
        assert bench.outcomes()[-1].degradations[0].reason is Reason.OUTPUT_INVALID
    assert bench.killed("full")


def test_a_failed_probe_run_ends_the_worker_even_without_a_sticky_error(bench: EngineBench) -> None:
    bench.serve("full")
    bench.wait(POLICY.probe_period_s)
    probe = [probe for probe in bench.of(DispatchProbe) if probe.worker == bench.worker("full")][-1]
    event = BatchFailed(
        worker=probe.worker, sequence=probe.sequence, reason=Reason.EXECUTION_FAILED, detail="", sticky=False
    )
    bench.send(event)
    assert bench.killed("full")


def test_events_of_unknown_workers_and_flights_change_nothing(bench: EngineBench) -> None:
    bench.serve("full")
    before = bench.state("full")
    worker = bench.worker("full")
    for number, sequence in ((99, 1), (worker, 9999)):
        bench.send(BatchCompleted(worker=number, sequence=sequence, results=(), compute_s=0.0))
        bench.send(ProbeCompleted(worker=number, sequence=sequence, error="bad", compute_s=0.0))
        bench.send(BatchFailed(worker=number, sequence=sequence, reason=Reason.OUT_OF_MEMORY, detail="", sticky=True))
    bench.send(WorkerRefused(worker=99, reason=Reason.INTERNAL_FAULT, detail=""))
    bench.send(WorkerExited(worker=99, detail=""))
    assert bench.state("full") == before


def test_an_operator_takes_a_tier_out_and_gives_it_back(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    worker = bench.worker("full")
    bench.ask()
    bench.send(TierDisabled(pathway=PATHWAY, tier="full", detail="maintenance"))
    bench.reply("distilled")
    assert bench.outcomes()[-1].degradations[0].reason is Reason.OPERATOR_DISABLED
    bench.send(TierDisabled(pathway=PATHWAY, tier="full", detail="again"))
    bench.send(WorkerExited(worker=worker, detail="signal 9"))
    bench.wait(5.0)
    assert bench.state("full") == "DISABLED"
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    assert bench.worker("full") != worker
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    assert bench.state("full") == "STARTING"


def test_the_rules_can_be_disabled_and_given_back(bench: EngineBench) -> None:
    bench.send(TierDisabled(pathway=PATHWAY, tier="rules", detail="review"))
    assert bench.engine.pathways[PATHWAY].capability is Capability.NONE
    bench.send(TierEnabled(pathway=PATHWAY, tier="rules"))
    assert bench.state("rules") == "SERVING"


def test_a_draining_server_starts_no_new_worker(bench: EngineBench) -> None:
    bench.send(DrainStarted())
    spawned = len(bench.of(SpawnWorker))
    bench.send(WorkerExited(worker=bench.worker("full"), detail="exit 1"))
    bench.wait(30.0)
    assert len(bench.of(SpawnWorker)) == spawned


def test_a_long_quiet_spell_makes_the_next_wait_short_again(bench: EngineBench) -> None:
    bench.serve("full")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    assert tier.attempt == 1
    for _ in range(200):
        bench.wait(0.1)
        if tier.flights:
            bench.prove("full")
    assert tier.attempt == 0


def test_each_change_of_capability_is_told_once(bench: EngineBench) -> None:
    bench.serve("distilled", "full")
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    told = [notice.capability for notice in bench.notices(CapabilityChanged) if isinstance(notice, CapabilityChanged)]
    assert told[0] is Capability.RULES_ONLY
    assert told[-2:] == [Capability.FULL, Capability.DEGRADED]
    moves = [notice for notice in bench.notices(TierMoved) if isinstance(notice, TierMoved)]
    assert all(move.reason is not None or str(move.state) == "SERVING" for move in moves)


def test_a_queue_at_its_bound_takes_no_more(bench: EngineBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(*[bench.request(budget_s=30.0) for _ in range(200)])
    tiers = bench.engine.pathways[PATHWAY].models
    assert all(tier.queue.rows <= POLICY.maximum_queue_rows for tier in tiers)
    assert any(step.reason is Reason.QUEUE_FULL for outcome in bench.outcomes() for step in outcome.degradations)


def test_a_worker_of_another_tier_is_never_adopted(bench: EngineBench) -> None:
    tier = bench.engine.pathways[PATHWAY].tier("full")
    report = replace(_report(bench), pid=1)
    with pytest.raises(IllegalMoveError):
        tier.adopt(bench.worker("distilled"), report)


def test_live_batches_are_sent_only_to_proved_workers(bench: EngineBench) -> None:
    bench.ready("full")
    bench.ask()
    kinds = [batch.kind for batch in bench.of(DispatchBatch)]
    assert BatchKind.LIVE not in kinds


def _report(bench: EngineBench) -> WorkerReport:
    bench.serve("full")
    report = bench.engine.pathways[PATHWAY].tier("full").report
    assert report is not None
    return report
