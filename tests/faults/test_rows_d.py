"""Memory and load: what runs out, what piles up, and who must not pay for it."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.adapters.worker_pool.process import WorkerProcess
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.engine_events import WorkerExited, WorkerRefused
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from stepdown.worker.order import WorkerResources
from tests.conformance.callers import channel_as
from tests.fakes.worker_events import Told
from tests.faults.living_chain import CPU, CUDA, POLICY, WARD, LivingChain, model_tier, pathway
from tests.faults.load import requests
from tests.faults.running_server import running_server
from tests.faults.test_rows_e import rules_alone
from tests.faults.workers import gone, order, soon
from tests.simulation.chain import POLICY as ENGINE_POLICY
from tests.unit.serving.engine.bench_engine import EngineBench
from tests.unit.transport.failures import Failure, read_failure

BURST = 400
FAILED_LOADS = 100
AT_ONCE = 20
NO_ROOM = {
    *(Reason.QUEUE_FULL, Reason.DEADLINE_TOO_SHORT),
    *(Reason.WORKER_HUNG, Reason.STARTING, Reason.PROBATION),  # a busy machine's worker, silent for its own reasons
}
GROWTH_BYTES = 16 << 20

Start = Callable[..., ProcessWorkerPool]


def test_d1_an_exhausted_arena_costs_one_call_and_the_session_is_built_anew_in_a_new_process(
    chain: LivingChain,
) -> None:
    before = chain.status("full").worker_pid
    chain.device("full").breaks(run="BFC arena")
    chain.until_answered_by("distilled")
    chain.device("full").mends()
    chain.until_answered_by("full")
    assert chain.faults("full")[0].reason is Reason.OUT_OF_MEMORY
    assert chain.status("full").worker_pid != before
    assert sum(pid == before and "BFC" in what for pid, what in chain.device("full").journal()) == 1


def test_d2_memory_that_runs_out_in_one_model_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    with LivingChain(tmp_path, pathway(WARD), pathway("theatre")) as chain:
        chain.until_whole()
        others = {("full", "theatre"), ("distilled", "theatre"), ("distilled", WARD)}
        pids = {each: chain.status(each[0], of=each[1]).worker_pid for each in others}
        chain.device("full").breaks(run="BFC arena", load="BFC arena")
        chain.until_answered_by("distilled")
        chain.until_answered_by("full", of="theatre")
        assert {each: chain.status(each[0], of=each[1]).worker_pid for each in others} == pids
        assert [chain.faults(tier, of=of) for tier, of in others] == [[], [], []]


def test_d3_a_worker_that_no_signal_ends_is_left_behind_and_its_device_quarantined(
    chain: LivingChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = chain.signal("full", signal.SIGSTOP)
    # What a driver in an uninterruptible call does to a signal: it arrives when the call is over.
    monkeypatch.setattr(WorkerProcess, "kill", lambda _: None)
    chain.until(lambda: chain.status("full").state is TierState.QUARANTINED)
    assert chain.status("full").reason is Reason.DEVICE_UNHEALTHY
    chain.until_answered_by("distilled")
    assert len(chain.device("full").starts()) == 1
    monkeypatch.undo()
    os.kill(stuck, signal.SIGKILL)
    assert soon(lambda: gone(stuck))

    def given_back() -> bool:
        """Until the pool has seen the end of it, the operator is too early."""
        chain.driver.enable_tier(WARD, "full")
        return chain.status("full").state is not TierState.QUARANTINED

    chain.until(given_back)
    chain.until_answered_by("full")


def test_d3_nothing_else_is_started_on_a_device_that_a_process_does_not_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = pathway("theatre", model_tier("full", CUDA))
    clinic = pathway("clinic", model_tier("full", CUDA, device_id=1))
    with LivingChain(tmp_path, pathway(WARD), theatre, clinic) as chain:
        chain.until_whole()
        stuck = chain.signal("full", signal.SIGSTOP)
        monkeypatch.setattr(WorkerProcess, "kill", lambda _: None)
        chain.until(lambda: chain.status("full").state is TierState.QUARANTINED)
        before = {of: chain.signal("full", signal.SIGKILL, of=of) for of in ("theatre", "clinic")}
        waits = "NVIDIA device 0 is held by a process that does not end"
        chain.until(lambda: chain.status("full", of="theatre").detail == waits)
        # Another device, and the processor, are not concerned.
        chain.until(lambda: chain.status("full", of="clinic").worker_pid not in {None, before["clinic"]})
        chain.until_answered_by("full", of="clinic")
        chain.until_answered_by("rules", of="theatre")
        assert len(chain.device("full", of="theatre").starts()) == 1
        monkeypatch.undo()
        os.kill(stuck, signal.SIGKILL)
        chain.until_answered_by("full", of="theatre")


def test_d4_a_tenfold_burst_waits_within_bounds_and_sheds_fidelity_before_requests(tmp_path: Path) -> None:
    with LivingChain(tmp_path, pathway(WARD, model_tier("full", CPU))) as chain:
        chain.until_whole()
        chain.device("full").breaks(run="slow 0.05")
        tiers: set[str] = set()

        def burst() -> bool:
            """Whoever finds no room is answered by the rules, and told why no model did it."""
            routine = chain.send(10 * POLICY.maximum_queue_rows, budget_s=10.0)
            assert chain.status("full").queue_rows <= POLICY.maximum_queue_rows
            tiers.update(question.tier() for question in routine)
            shed = [question for question in routine if question.tier() == "rules"]
            assert all(question.degradation("full").reason in NO_ROOM for question in shed)
            return tiers == {"full", "rules"}

        chain.until(burst)
        # Whoever would take nothing but the model is told that there is no room.
        crowd = chain.send(10 * POLICY.maximum_queue_rows, budget_s=10.0, only_tier="full")
        chain.until(lambda: any(question.wait().failure in NO_ROOM for question in crowd))
        assert {question.tier() for question in crowd} <= {"full", ""}


def test_d4_what_may_not_even_wait_is_refused_over_grpc_with_the_time_to_come_again() -> None:
    """Where nobody may wait, so that it takes no large machine to overload the server."""

    def impatient(settings: dict[str, Any]) -> None:
        rules_alone(settings)
        settings["server"] |= {"call_threads": 8, "maximum_wait_s": 0.01}

    asked, failures, answered = requests(1_000_000), list[Failure](), Counter[str]()
    with running_server(impatient) as server, channel_as(server) as channel:
        stub = AssessmentServiceStub(channel)

        def burst() -> bool:
            for call in [stub.AssessRisk.future(next(asked)) for _ in range(BURST)]:
                try:
                    answered[call.result().assessment.answered_by.tier] += 1
                except grpc.RpcError as error:
                    failures.append(read_failure(error))
            return bool(failures and answered)

        server.until(burst)
        assert stub.AssessRisk(next(asked), timeout=60.0).assessment.answered_by.tier == "rules"
    assert set(answered) == {"rules"}
    assert {(each.code, each.reason) for each in failures} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")}
    assert all(each.retry_after_s and each.trailing["grpc-retry-pushback-ms"] for each in failures)


def test_d4_the_urgent_pass_those_who_wait() -> None:
    bench = EngineBench()
    bench.serve("full")
    bench.ask(*(bench.request() for _ in range(12)))
    urgent = bench.request(urgency="emergency")
    bench.ask(urgent)
    bench.reply("full")
    newest = bench.last_batch("full")
    assert newest.payloads[0] is urgent.payload


def test_d5_the_bounds_on_waiting_hold_to_the_request_and_to_the_millisecond() -> None:
    bench = EngineBench()
    bench.serve("full")
    room = 2 * 4 + ENGINE_POLICY.maximum_queue_rows  # two batches in flight, the rest in the queue
    for number in range(room + 10):
        bench.ask(bench.request(budget_s=10.0))
        waiting = bench.engine.pathways["sepsis-early-warning"].tier("full").queue.rows
        assert waiting <= ENGINE_POLICY.maximum_queue_rows, number
    refused = [outcome for outcome in bench.outcomes() if outcome.answered_by and outcome.answered_by.tier == "rules"]
    assert len(refused) == room + 10 - bench.engine.open_requests()
    assert {outcome.degradations[0].reason for outcome in refused} <= {Reason.QUEUE_FULL, Reason.WORKER_HUNG}

    late = EngineBench()
    late.serve("full")
    late.ask(late.request(budget_s=0.04))
    late.wait(0.04 - ENGINE_POLICY.reserve_s - 1e-6)
    assert late.outcomes() == []
    late.wait(2e-6)
    assert len(late.outcomes()) == 1


def held_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_descriptors() -> int:
    return len(tuple(Path("/proc/self/fd").iterdir()))


def test_d6_a_hundred_failed_loads_give_back_all_they_took(start: Start, told: Told) -> None:
    pool = start("exits")
    worker, memory, descriptors = 0, 0, 0
    for _ in range(FAILED_LOADS // AT_ONCE + 1):
        for _ in range(AT_ONCE):
            worker += 1
            pool.spawn(order(worker))
        heard = [told.next(object) for _ in range(2 * AT_ONCE)]
        assert sum(isinstance(event, WorkerRefused) for event in heard) == AT_ONCE
        assert sum(isinstance(event, WorkerExited) for event in heard) == AT_ONCE
        # The first round pays for what is loaded once.
        memory, descriptors = memory or held_bytes(), descriptors or open_descriptors()
    assert soon(lambda: open_descriptors() <= descriptors)
    assert held_bytes() - memory < GROWTH_BYTES


def test_d7_a_worker_takes_its_threads_from_the_cores_it_may_use(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    with LivingChain(
        tmp_path, pathway(WARD, model_tier("full", CPU)), resources=WorkerResources(threads=0, cores=(core,))
    ) as chain:
        chain.until_capable()
        (load,) = (what for _, what in chain.device("full").journal() if what.startswith("load"))
        assert load.endswith("threads=1")
        pid = chain.status("full").worker_pid
        assert pid is not None
        assert os.sched_getaffinity(pid) == {core}


def test_d8_a_warm_up_that_fails_is_a_load_that_failed(tmp_path: Path) -> None:
    chosen = pathway(WARD, model_tier("full", CUDA, maximum_batch=64), model_tier("distilled", CPU))
    with LivingChain(tmp_path, chosen) as chain:
        chain.device("full").breaks(load="fails to warm up")
        chain.until_capable("DEGRADED")
        chain.until(lambda: chain.faults("full"))
        assert chain.faults("full")[0].reason is Reason.OUT_OF_MEMORY
        assert TierState.PROBATION not in chain.moves("full")
        chain.until_answered_by("distilled")
