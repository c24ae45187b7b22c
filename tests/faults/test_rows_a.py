"""Health says fine and inference is dead: each way to it that other servers have met."""

import signal
import time
from threading import Thread
from typing import TYPE_CHECKING

from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from stepdown.transport.health import ServedNames, health_of
from tests.faults.living_chain import POLICY, LivingChain, in_order
from tests.faults.workers import gone

if TYPE_CHECKING:
    from tests.faults.witnesses import Question

BACK_TO_WORK = (TierState.SUSPENDED, TierState.STARTING, TierState.PROBATION, TierState.SERVING)
NAMES = ServedNames(services=frozenset(), clinical=frozenset({"ward"}))


def health(chain: LivingChain, name: str) -> bool:
    return health_of(chain.driver.status(), NAMES)[name].serving


def hung(chain: LivingChain) -> bool:
    return any(fault.reason is Reason.WORKER_HUNG for fault in chain.faults("full"))


def test_a1_a_device_side_assert_takes_the_tier_out_with_the_first_call_that_meets_it(chain: LivingChain) -> None:
    chain.device("full").breaks(run="CUDA 710", load="CUDA 710")
    chain.until_answered_by("distilled")
    # The answer that met it already finds the tier out of service: nobody need wait for a probe.
    assert not health(chain, "tier/ward/full")
    assert not health(chain, "pathway/ward@FULL")
    assert health(chain, "pathway/ward@DEGRADED")
    chain.until(lambda: chain.faults("full"))
    assert "CUDA failure 710" in chain.faults("full")[0].detail
    assert {chain.ask().tier() for _ in range(20)} <= {"distilled", "rules"}


def test_a2_a_sticky_device_error_costs_the_process_and_probation_comes_before_return(chain: LivingChain) -> None:
    poisoned = chain.status("full").worker_pid
    chain.device("full").breaks(run="CUDA 700")
    chain.until_answered_by("distilled")
    chain.device("full").mends()
    chain.until_answered_by("full")
    journal = chain.device("full").journal()
    assert [what for pid, what in journal if pid == poisoned][-1].endswith("CUDA 700")
    assert sum(what.endswith("CUDA 700") for pid, what in journal if pid == poisoned) == 1
    assert poisoned is not None
    assert gone(poisoned)
    assert chain.status("full").worker_pid != poisoned
    moves = chain.moves("full")
    assert in_order(moves[moves.index(TierState.SERVING) :], BACK_TO_WORK)


def test_a3_a_killed_worker_hands_its_callers_on_and_comes_back_after_a_growing_wait(chain: LivingChain) -> None:
    chain.device("full").breaks(run="hangs")
    waiting = chain.begin()
    chain.until(lambda: chain.status("full").in_flight_rows)
    chain.signal("full", signal.SIGKILL)
    assert waiting.tier() in {"distilled", "rules"}
    chain.device("full").mends()
    killed_s = []
    for _ in range(3):
        chain.until_capable()
        killed_s.append(time.monotonic())
        chain.signal("full", signal.SIGKILL)
        chain.until(lambda: chain.capability() != "FULL")
    chain.until_capable()
    for attempt, death_s in enumerate(killed_s, start=1):
        respawned_s = min(spawn_s for spawn_s in chain.spawns("full") if spawn_s > death_s)
        assert respawned_s - death_s >= POLICY.backoff.delay_s(attempt=attempt, jitter=0)


def test_a4_workers_killed_under_load_leave_no_request_stuck(chain: LivingChain) -> None:
    asked: list[Question] = []

    def ask_on() -> None:
        for _ in range(60):
            asked.extend(chain.send(4, budget_s=5.0))
            time.sleep(0.005)

    callers = [Thread(target=ask_on) for _ in range(3)]
    for caller in callers:
        caller.start()
    while any(caller.is_alive() for caller in callers):
        for tier in ("full", "distilled"):
            if chain.status(tier).worker_pid is not None:
                chain.signal(tier, signal.SIGKILL)
        time.sleep(0.1)
    for caller in callers:
        caller.join()
    assert len(asked) == 720
    assert {question.tier() for question in asked} <= {"full", "distilled", "rules"}
    assert chain.driver.open_requests() == 0


def test_a5_a_flooded_worker_that_reads_nothing_fails_its_golden_probe(chain: LivingChain) -> None:
    stopped = chain.signal("full", signal.SIGSTOP)
    flood = chain.send(500, budget_s=20.0)
    chain.until(lambda: hung(chain))
    assert {question.tier() for question in flood} <= {"distilled", "rules"}
    assert gone(stopped) or chain.status("full").worker_pid != stopped
    chain.until_answered_by("full")


def test_a6_an_endless_kernel_is_ended_at_its_budget_and_what_waits_is_bounded(chain: LivingChain) -> None:
    chain.device("full").breaks(run="endless kernel")
    most = 0
    asked: list[Question] = []
    while not hung(chain):
        asked += chain.send(100, budget_s=20.0)
        most = max(most, chain.status("full").queue_rows, chain.status("distilled").queue_rows)
        time.sleep(0.01)
    assert most <= POLICY.maximum_queue_rows
    assert "full" not in {question.tier() for question in asked}
    chain.device("full").mends()
    chain.until_answered_by("full")


def test_a7_a_blocked_worker_is_found_by_the_probe_when_nobody_asks(chain: LivingChain) -> None:
    chain.device("full").breaks(run="hangs")
    chain.until(lambda: hung(chain))
    assert not health(chain, "tier/ward/full")
    # Only probes have travelled: the request path was tried without a request.
    assert chain.status("full").answers == 0
    assert chain.driver.is_alive()


def test_a8_a_lost_opencl_context_is_the_devices_fault_and_no_callers(chain: LivingChain) -> None:
    before = chain.status("full").worker_pid
    chain.device("full").breaks(run="OpenCL")
    question = chain.until_answered_by("distilled")
    assert question.wait().failure is None
    chain.device("full").mends()
    chain.until_answered_by("full")
    assert chain.status("full").worker_pid != before
    fault = chain.faults("full")[0]
    assert fault.reason is Reason.EXECUTION_FAILED
    assert "CL_OUT_OF_RESOURCES" in fault.detail


def test_a9_readiness_falls_with_the_models_and_is_never_for_life(chain: LivingChain) -> None:
    for tier in ("full", "distilled"):
        chain.device(tier).breaks(load="exits")
        chain.signal(tier, signal.SIGKILL)
    chain.until_capable("RULES_ONLY")
    assert not health(chain, "pathway/ward@DEGRADED")
    assert health(chain, "pathway/ward@RULES_ONLY")
    for tier in ("full", "distilled"):
        assert not health(chain, f"tier/ward/{tier}")
    assert chain.ask().tier() == "rules"
    for tier in ("full", "distilled"):
        chain.device(tier).mends()
    chain.until_capable()
    assert health(chain, "pathway/ward@FULL")
