"""What is shed, whose, and in which order. Arrivals are timed: nothing here waits for a real clock."""

from collections import Counter
from dataclasses import replace

import pytest

from stepdown.domain.engine_effects import AnswerRequest, DispatchBatch
from stepdown.domain.engine_events import Request, RequestCancelled
from stepdown.domain.notices import FidelityShed
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.policy import EnginePolicy
from tests.simulation.chain import MAXIMUM_BATCH, PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench

# An idle worker takes what comes at once: the first two that arrive alone are two batches.
IN_FLIGHT = 2
ROOM = POLICY.maximum_queue_rows
ROWS_ONLY = replace(POLICY, stall_s=0.4)


def bench_of(*tiers: str, policy: EnginePolicy = ROWS_ONLY) -> EngineBench:
    bench = EngineBench(policy=policy)
    bench.serve(*tiers)
    return bench


def flood(bench: EngineBench, number: int, *, client: str = "", urgency: str = "routine") -> None:
    for _ in range(number):
        bench.ask(bench.request(budget_s=10.0, client=client, urgency=urgency))


def waiting(bench: EngineBench, tier: str) -> int:
    return bench.engine.pathways[PATHWAY].tier(tier).queue.rows


def answers(bench: EngineBench) -> Counter[str]:
    return Counter(
        outcome.answered_by.tier if outcome.answered_by is not None else "none" for outcome in bench.outcomes()
    )


def shed(bench: EngineBench) -> Counter[tuple[str, Urgency]]:
    told: Counter[tuple[str, Urgency]] = Counter()
    for notice in bench.notices(FidelityShed):
        assert isinstance(notice, FidelityShed)
        told[notice.tier, notice.urgency] += notice.requests
    return told


def test_routine_requests_fill_half_of_a_queue_urgent_ones_more_and_emergencies_all_of_it() -> None:
    bench = bench_of("full")
    flood(bench, IN_FLIGHT + ROOM)
    assert waiting(bench, "full") == ROOM // 2
    flood(bench, ROOM, urgency="urgent")
    assert waiting(bench, "full") == ROOM * 4 // 5
    flood(bench, ROOM, urgency="emergency")
    assert waiting(bench, "full") == ROOM
    assert answers(bench) == {"rules": ROOM // 2 + ROOM * 7 // 10 + ROOM * 4 // 5}
    assert {outcome.degradations[0].reason for outcome in bench.outcomes()} == {Reason.QUEUE_FULL}


def test_fidelity_is_shed_before_requests_and_every_shed_is_told_by_urgency() -> None:
    bench = bench_of("full", "distilled")
    flood(bench, 3 * ROOM)
    assert waiting(bench, "full") == waiting(bench, "distilled") == ROOM // 2
    beyond_full = 3 * ROOM - IN_FLIGHT - ROOM // 2
    beyond_both = beyond_full - IN_FLIGHT - ROOM // 2
    assert answers(bench) == {"rules": beyond_both}
    assert shed(bench) == {("full", Urgency.ROUTINE): beyond_full, ("distilled", Urgency.ROUTINE): beyond_both}


def test_an_emergency_keeps_the_full_model_while_a_tenfold_burst_is_shed() -> None:
    bench = bench_of("full", "distilled")
    flood(bench, 10 * ROOM)
    emergency = bench.request(urgency="emergency")
    bench.ask(emergency)
    bench.reply("full")
    assert emergency.payload in bench.last_batch("full").payloads
    assert ("full", Urgency.EMERGENCY) not in shed(bench)


def test_a_queue_is_bounded_in_time_by_what_its_runs_take() -> None:
    bench = bench_of("full", policy=replace(ROWS_ONLY, maximum_queue_s=0.064, maximum_queue_rows=4096))
    flood(bench, 500)
    run_time = bench.engine.pathways[PATHWAY].tier("full").run_time
    routine = waiting(bench, "full")
    assert run_time.drain_s(routine - 1, batch=MAXIMUM_BATCH) < 0.032 <= run_time.drain_s(routine, batch=MAXIMUM_BATCH)
    flood(bench, 500, urgency="emergency")
    full = waiting(bench, "full")
    assert run_time.drain_s(full - 1, batch=MAXIMUM_BATCH) < 0.064 <= run_time.drain_s(full, batch=MAXIMUM_BATCH)


@pytest.mark.parametrize(("more_s", "asked"), [(0.0005, True), (-0.0005, False)])
def test_a_queue_longer_than_the_time_left_is_not_joined_to_the_millisecond(more_s: float, *, asked: bool) -> None:
    bench = bench_of("full")
    flood(bench, IN_FLIGHT + MAXIMUM_BATCH)
    tier = bench.engine.pathways[PATHWAY].tier("full")
    before_s = 2 * tier.run_time.estimate_s(1) + tier.run_time.estimate_s(MAXIMUM_BATCH)
    own_s = tier.latency.quantile_s(0.5) or 0.0
    assert tier.wait_s(Urgency.ROUTINE, "") == pytest.approx(before_s)
    bench.ask(bench.request(budget_s=before_s + own_s + POLICY.reserve_s + more_s))
    assert (bench.outcomes() == []) is asked
    if not asked:
        assert bench.outcomes()[0].degradations[0].reason is Reason.QUEUE_FULL


def test_a_client_that_floods_gives_way_to_one_that_does_not() -> None:
    bench = bench_of("full")
    flood(bench, IN_FLIGHT + ROOM, client="flood")
    refused = answers(bench)["rules"]
    flood(bench, 5, client="ward")
    assert waiting(bench, "full") == ROOM // 2
    assert answers(bench)["rules"] == refused + 5
    displaced = bench.of(AnswerRequest)[-5:]
    assert {answer.request.client for answer in displaced} == {"flood"}
    assert {answer.outcome.degradations[0].reason for answer in displaced} == {Reason.QUEUE_FULL}
    bench.reply("full")
    assert sum(request.client == "ward" for request in sent(bench)) >= MAXIMUM_BATCH // 2


def sent(bench: EngineBench) -> list[Request]:
    """The requests of the last batch of the full tier."""
    tier = bench.engine.pathways[PATHWAY].tier("full")
    return [case.request for case in list(tier.flights.values())[-1].cases]


def test_clients_share_what_is_left_when_both_flood() -> None:
    bench = bench_of("full")
    flood(bench, ROOM, client="first")
    flood(bench, ROOM, client="second")
    tier = bench.engine.pathways[PATHWAY].tier("full")
    held = Counter(case.request.client for case in tier.queue.cases())
    assert abs(held["first"] - held["second"]) <= 1


def test_a_queue_full_of_callers_that_left_takes_new_ones_and_sends_none_of_the_old() -> None:
    bench = bench_of("full")
    flood(bench, IN_FLIGHT)
    gone = [bench.request(budget_s=10.0, tensor=b"gone") for _ in range(ROOM // 2)]
    bench.ask(*gone)
    assert waiting(bench, "full") == ROOM // 2
    for request in gone:
        bench.send(RequestCancelled(request=request))
    assert waiting(bench, "full") == 0
    flood(bench, ROOM // 2)
    assert waiting(bench, "full") == ROOM // 2
    for _ in range(12):
        bench.reply("full")
        bench.now_s += 0.001
    assert not any(payload.tensors == (b"gone",) for batch in bench.of(DispatchBatch) for payload in batch.payloads)


def test_a_caller_who_needs_a_model_hears_that_there_is_no_room() -> None:
    bench = bench_of("full")
    flood(bench, IN_FLIGHT + ROOM // 2)
    bench.ask(bench.request(only_tier="full"), bench.request(minimum_tier="full"))
    assert [outcome.failure for outcome in bench.outcomes()] == [Reason.QUEUE_FULL, Reason.QUEUE_FULL]


def test_where_too_many_calls_wait_for_the_server_no_model_is_asked() -> None:
    bench = bench_of("full", "distilled")
    bench.ask(bench.request(models_spared=True), bench.request(models_spared=True, only_tier="full"))
    assert answers(bench) == {"rules": 1, "none": 1}
    assert [step.reason for step in bench.outcomes()[0].degradations] == [Reason.QUEUE_FULL] * 2
    assert bench.outcomes()[1].failure is Reason.QUEUE_FULL
    assert not [batch for batch in bench.of(DispatchBatch) if batch.payloads]


def test_what_expires_in_the_queue_is_never_sent_even_if_the_timer_is_late() -> None:
    bench = bench_of("full")
    bench.ask(bench.request(budget_s=10.0))
    bench.ask(bench.request(budget_s=10.0))
    bench.ask(bench.request(budget_s=0.05))
    bench.now_s += 0.06
    assert bench.of(DispatchBatch, bench.reply("full")) == []
    bench.wait(0.0)
    assert answers(bench) == {"full": 1, "rules": 1}


def test_a_reminder_of_a_caller_that_left_wakes_nobody() -> None:
    bench = bench_of("full")
    first, gone = bench.request(), bench.request()
    bench.ask(first, gone)
    bench.send(RequestCancelled(request=gone))
    bench.wait(0.2)
    assert [answer.request for answer in bench.of(AnswerRequest)] == [first]


def test_reminders_of_ended_cases_do_not_pile_up() -> None:
    bench = bench_of("full", "distilled")
    for _ in range(3000):
        request = bench.request(budget_s=30.0)
        bench.ask(request)
        bench.send(RequestCancelled(request=request))
    cascade = bench.engine._cascades[PATHWAY]  # noqa: SLF001 - memory is what is asked about
    assert len(cascade._due) < 600  # noqa: SLF001
