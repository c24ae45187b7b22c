"""Hardware and driver: devices that fall away, come back, or answer rubbish with good manners."""

import signal
import time
from itertools import pairwise
from pathlib import Path

from stepdown.domain.notices import ProbeFinished
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from tests.faults.living_chain import POLICY, LivingChain, in_order


def test_c1_a_monitoring_library_that_fails_beside_a_working_device_moves_no_tier(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(nvml="Unknown Error")
        chain.until_capable()
        probes = len(chain.told(ProbeFinished, tier="full", error=""))
        chain.until(lambda: len(chain.told(ProbeFinished, tier="full", error="")) >= probes + 3)
        assert chain.moves("full") == [TierState.PROBATION, TierState.SERVING]
        chain.until_answered_by("full")


def test_c2_a_driver_that_no_longer_matches_is_looked_at_now_and_then_and_not_stormed(chain: LivingChain) -> None:
    chain.device("full").breaks(load="CUDA 803")
    chain.signal("full", signal.SIGKILL)
    chain.until(lambda: any(fault.reason is Reason.PROVIDER_UNAVAILABLE for fault in chain.faults("full")))
    before, seen_s = len(chain.spawns("full")), time.monotonic()
    answered = set()
    while len(chain.spawns("full")) < before + 2:
        answered.add(chain.ask().tier())
        assert time.monotonic() < seen_s + 30
    spawns = chain.spawns("full")[before - 1 :]
    assert all(later - earlier >= POLICY.unavailable_retry_s for earlier, later in pairwise(spawns))
    assert answered <= {"distilled", "rules"}
    assert chain.status("full").state is not TierState.QUARANTINED
    chain.device("full").mends()
    chain.until_answered_by("full")


def test_c3_a_device_that_fell_off_the_bus_is_found_by_the_probe_without_a_word_from_the_driver(
    chain: LivingChain,
) -> None:
    chain.device("full").breaks(run="GPU lost", load="CUDA 100")
    chain.until(lambda: chain.status("full").reason is Reason.PROVIDER_UNAVAILABLE)
    first, second, *_ = chain.faults("full")
    assert (first.reason, second.reason) == (Reason.EXECUTION_FAILED, Reason.PROVIDER_UNAVAILABLE)
    assert chain.status("full").answers == 0
    chain.until_answered_by("distilled")


def test_c4_a_device_that_comes_back_is_taken_back_by_our_own_proof(chain: LivingChain) -> None:
    chain.device("full").breaks(run="GPU lost", load="CUDA 100")
    chain.until(lambda: chain.status("full").reason is Reason.PROVIDER_UNAVAILABLE)
    moves = len(chain.moves("full"))
    chain.device("full").mends()
    chain.until(lambda: in_order(chain.moves("full")[moves:], (TierState.PROBATION, TierState.SERVING)))
    chain.until_answered_by("full")


def test_c5_rubbish_that_looks_like_an_answer_closes_the_tier_at_the_next_golden_probe(chain: LivingChain) -> None:
    liar = chain.status("full").worker_pid
    chain.device("full").breaks(run="garbage")
    chain.until(lambda: any(fault.reason is Reason.KNOWN_ANSWER_MISMATCH for fault in chain.faults("full")))
    # From here on `tier()` checks the numbers too: nothing the liar has said may still be given out.
    assert {chain.ask().tier() for _ in range(20)} <= {"distilled", "rules"}
    assert "times its tolerance off" in chain.faults("full")[0].detail
    chain.device("full").mends()
    chain.until_answered_by("full")
    assert chain.status("full").worker_pid != liar
