from dataclasses import replace

import pytest

from stepdown.domain.engine_effects import AnswerRequest, DispatchBatch
from stepdown.domain.engine_events import BatchFailed, RequestCancelled, TierDisabled, WorkerExited
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from tests.simulation.chain import PATHWAY
from tests.unit.serving.engine.bench_engine import EngineBench

INVALID = RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")


@pytest.fixture
def bench() -> EngineBench:
    bench = EngineBench()
    bench.serve("full", "distilled")
    return bench


def reasons(bench: EngineBench) -> list[tuple[str, Reason]]:
    return [(step.tier, step.reason) for step in bench.outcomes()[-1].degradations]


def answered_by(bench: EngineBench) -> str | None:
    identity = bench.outcomes()[-1].answered_by
    return identity.tier if identity is not None else None


def test_the_first_tier_answers_without_a_degradation(bench: EngineBench) -> None:
    bench.ask()
    bench.reply("full")
    outcome = bench.outcomes()[-1]
    assert answered_by(bench) == "full"
    assert outcome.degradations == ()
    assert [(attempt.tier, attempt.outcome) for attempt in outcome.attempts] == [("full", None)]


def test_an_invalid_output_goes_to_the_next_tier_at_once(bench: EngineBench) -> None:
    bench.ask()
    assert bench.of(DispatchBatch, bench.reply("full", INVALID))[0].worker == bench.worker("distilled")
    bench.reply("distilled")
    assert answered_by(bench) == "distilled"
    assert reasons(bench) == [("full", Reason.OUTPUT_INVALID)]


def test_a_dead_worker_steps_its_requests_down(bench: EngineBench) -> None:
    bench.ask()
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.reply("distilled")
    assert reasons(bench) == [("full", Reason.WORKER_LOST)]


def test_with_no_model_left_the_rules_answer_and_every_better_tier_is_accounted_for(bench: EngineBench) -> None:
    for tier in ("full", "distilled"):
        bench.send(WorkerExited(worker=bench.worker(tier), detail="signal 9"))
    bench.ask()
    assert answered_by(bench) == "rules"
    assert bench.outcomes()[-1].result is None
    assert reasons(bench) == [("full", Reason.WORKER_LOST), ("distilled", Reason.WORKER_LOST)]


def test_the_next_tier_is_asked_beside_a_silent_one_before_the_deadline(bench: EngineBench) -> None:
    bench.ask(bench.request(budget_s=0.04))
    bench.wait(0.029)
    assert bench.last_batch("distilled").payloads
    bench.reply("distilled")
    assert bench.outcomes() == []
    bench.wait(0.01)
    assert answered_by(bench) == "distilled"
    assert reasons(bench) == [("full", Reason.DEADLINE_TOO_SHORT)]


def test_the_better_answer_wins_when_both_arrive_in_time(bench: EngineBench) -> None:
    bench.ask(bench.request(budget_s=0.04))
    bench.wait(0.029)
    bench.reply("distilled")
    bench.reply("full")
    assert answered_by(bench) == "full"
    assert len(bench.outcomes()) == 1


def test_when_nobody_answers_the_rules_do_before_the_deadline(bench: EngineBench) -> None:
    bench.ask(bench.request(budget_s=0.04))
    bench.wait(0.04)
    assert answered_by(bench) == "rules"
    assert [reason for _, reason in reasons(bench)] == [Reason.DEADLINE_TOO_SHORT, Reason.DEADLINE_TOO_SHORT]


def test_a_late_reply_answers_nobody(bench: EngineBench) -> None:
    bench.ask(bench.request(budget_s=0.04))
    bench.wait(0.04)
    assert bench.of(AnswerRequest, bench.reply("full")) == []


def test_an_addressed_tier_answers_alone_or_nobody_does(bench: EngineBench) -> None:
    bench.ask(bench.request(only_tier="full"))
    bench.reply("full", INVALID)
    outcome = bench.outcomes()[-1]
    assert outcome.answered_by is None
    assert outcome.failure is Reason.OUTPUT_INVALID
    assert "full" in outcome.failure_detail


def test_a_caller_who_needs_the_full_tier_gets_no_lower_one(bench: EngineBench) -> None:
    bench.send(WorkerExited(worker=bench.worker("full"), detail="signal 9"))
    bench.ask(bench.request(minimum_tier="full"))
    assert bench.outcomes()[-1].failure is Reason.WORKER_LOST


def test_without_rules_in_hand_the_failure_names_the_last_tier(bench: EngineBench) -> None:
    for tier in ("full", "distilled"):
        bench.send(WorkerExited(worker=bench.worker(tier), detail="signal 9"))
    bench.ask(bench.request(rules=False))
    assert bench.outcomes()[-1].failure is Reason.WORKER_LOST


def test_an_unknown_tier_fails_without_a_reason_to_step_down(bench: EngineBench) -> None:
    bench.ask(bench.request(only_tier="nonsense"))
    outcome = bench.outcomes()[-1]
    assert (outcome.failure, outcome.failure_detail) == (Reason.NOT_CONFIGURED, "no such tier")


def test_a_cancelled_request_is_neither_answered_nor_sent(bench: EngineBench) -> None:
    request = bench.request()
    bench.ask(request)
    bench.send(RequestCancelled(request=request))
    bench.reply("full")
    assert bench.outcomes() == []
    assert bench.engine.open_requests() == 0


def test_cancelling_what_was_never_asked_is_harmless(bench: EngineBench) -> None:
    bench.send(RequestCancelled(request=bench.request()))
    assert bench.outcomes() == []


def test_more_rows_than_the_bundle_takes_are_unsuitable_and_block_nobody(bench: EngineBench) -> None:
    bench.ask(bench.request(rows=5, rules=False), bench.request())
    assert bench.outcomes()[0].failure is Reason.INPUT_UNSUITABLE
    bench.reply("full")
    assert answered_by(bench) == "full"


def test_an_error_of_one_run_steps_down_without_ending_the_worker(bench: EngineBench) -> None:
    bench.ask()
    batch = bench.last_batch("full")
    event = BatchFailed(
        worker=batch.worker, sequence=batch.sequence, reason=Reason.EXECUTION_FAILED, detail="shape", sticky=False
    )
    bench.send(event)
    assert not bench.killed("full")
    bench.reply("distilled")
    assert reasons(bench) == [("full", Reason.EXECUTION_FAILED)]


def test_a_sticky_error_ends_the_worker_and_steps_down(bench: EngineBench) -> None:
    bench.ask()
    batch = bench.last_batch("full")
    event = BatchFailed(
        worker=batch.worker, sequence=batch.sequence, reason=Reason.EXECUTION_FAILED, detail="CUDA 700", sticky=True
    )
    bench.send(event)
    assert bench.killed("full")
    bench.reply("distilled")
    assert answered_by(bench) == "distilled"


def test_a_disabled_rules_tier_does_not_answer(bench: EngineBench) -> None:
    for tier in ("full", "distilled", "rules"):
        bench.send(TierDisabled(pathway=PATHWAY, tier=tier, detail="audit"))
    bench.ask()
    assert bench.outcomes()[-1].failure is Reason.OPERATOR_DISABLED


def test_an_answer_held_from_a_worker_found_lying_is_not_given(bench: EngineBench) -> None:
    probed_s = bench.engine.pathways[PATHWAY].tier("distilled").probe_due_s
    assert probed_s is not None
    bench.wait(probed_s - bench.now_s - 0.034)
    bench.ask(bench.request(budget_s=0.05))
    bench.wait(0.033)
    bench.reply("distilled")
    bench.wait(0.002)
    bench.prove("distilled", error="off by 9 tolerances")
    bench.wait(0.02)
    assert answered_by(bench) == "rules"
    assert ("distilled", Reason.KNOWN_ANSWER_MISMATCH) in reasons(bench)


def test_the_most_urgent_are_sent_first(bench: EngineBench) -> None:
    bench.ask()
    bench.ask()
    waiting = [bench.request(urgency=urgency) for urgency in ("routine", "urgent", "emergency")]
    bench.ask(*waiting)
    bench.reply("full")
    sent = bench.last_batch("full").payloads
    assert [next(index for index, request in enumerate(waiting) if request.payload is payload) for payload in sent] == [
        2,
        1,
        0,
    ]


def test_requests_for_an_unknown_pathway_are_refused_and_their_neighbours_served(bench: EngineBench) -> None:
    bench.ask(replace(bench.request(), pathway="nonsense"), bench.request())
    assert bench.outcomes()[0].failure is Reason.NOT_CONFIGURED
    bench.send(RequestCancelled(request=replace(bench.request(), pathway="nonsense")))
    bench.reply("full")
    assert answered_by(bench) == "full"


def test_a_request_without_a_payload_is_answered_by_the_rules_at_once(bench: EngineBench) -> None:
    bench.ask(replace(bench.request(), payload=None))
    assert answered_by(bench) == "rules"
    assert {reason for _, reason in reasons(bench)} == {Reason.INPUT_UNSUITABLE}


def test_what_the_engine_had_decided_can_be_salvaged_and_a_request_forgotten(bench: EngineBench) -> None:
    request = bench.request()
    bench.ask(request)
    bench.engine.forget(request)
    assert bench.engine.salvage() == []
    assert bench.engine.open_requests() == 0
