"""Overload on real processes: who waits, who gives way, and how soon everything is as before."""

from pathlib import Path

from stepdown.domain.reasons import Reason
from tests.faults.living_chain import CPU, POLICY, WARD, LivingChain, model_tier, pathway

BURST = 10 * POLICY.maximum_queue_rows


def test_an_emergency_keeps_the_model_and_another_client_its_part_while_one_floods(tmp_path: Path) -> None:
    with LivingChain(tmp_path, pathway(WARD, model_tier("full", CPU))) as chain:
        chain.until_whole()
        chain.device("full").breaks(run="slow 0.02")

        def served() -> bool:
            flood = chain.send(BURST, budget_s=10.0, client="flood")
            emergency = chain.begin(budget_s=10.0, client="flood", urgency="emergency")
            ward = chain.begin(budget_s=10.0, client="ward")
            shed = sum(question.tier() == "rules" for question in flood)
            return emergency.tier() == "full" and ward.tier() == "full" and shed > BURST // 2

        chain.until(served)


def test_full_fidelity_is_back_when_the_load_has_ended(chain: LivingChain) -> None:
    chain.device("full").breaks(run="slow 0.02")
    crowd = chain.send(BURST, budget_s=2.0)
    assert {question.tier() for question in crowd} <= {"full", "distilled", "rules"}
    chain.device("full").mends()
    chain.until_answered_by("full")


def test_a_device_that_spoils_raw_tensors_is_found_by_the_probe_and_not_by_blaming_the_tensors(
    chain: LivingChain,
) -> None:
    chain.until_answered_by("full")
    chain.device("full").breaks(run="NaN")
    spoilt = chain.ask(vetted=False, only_tier="full", rules=False)
    assert spoilt.wait().failure in {Reason.OUTPUT_INVALID, Reason.KNOWN_ANSWER_MISMATCH}
    chain.until(lambda: any(fault.reason is Reason.KNOWN_ANSWER_MISMATCH for fault in chain.faults("full")))
    chain.device("full").mends()
    chain.until_answered_by("full")
