"""The wrong device, silently: every way for a model to run elsewhere than its answer says."""

from dataclasses import replace
from pathlib import Path

import pytest

from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider, TierState
from tests.faults.living_chain import CPU, CUDA, MIGRAPHX, POLICY, WARD, LivingChain, model_tier, pathway


def refused(chain: LivingChain, tier: str = "full") -> Reason:
    """Why the tier's worker could not load, once that is known."""
    chain.until(lambda: chain.faults(tier))
    return chain.faults(tier)[0].reason


@pytest.mark.parametrize("fault", ["libraries missing", "quietly on the CPU"])
def test_b1_a_device_whose_libraries_are_missing_is_unavailable_and_never_a_processor_in_its_name(
    tmp_path: Path, fault: str
) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(load=fault)
        chain.until_capable("DEGRADED")
        assert refused(chain) is Reason.PROVIDER_UNAVAILABLE
        questions = [chain.ask() for _ in range(10)]
        assert {question.tier() for question in questions} <= {"distilled", "rules"}
        identities = {question.wait().answered_by for question in (*questions, chain.until_answered_by("distilled"))}
        providers = {identity.execution_provider for identity in identities if identity}
        assert CPU in providers
        assert providers <= {CPU, ExecutionProvider.RULES}
        assert "run" not in {what.split()[0] for _, what in chain.device("full").journal()}


def test_b2_a_graph_that_lies_almost_wholly_on_the_processor_is_refused_with_its_share(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(load="placed 3 of 412")
        chain.until_capable("DEGRADED")
        assert refused(chain) is Reason.PLACEMENT_TOO_LOW
        assert "0.007 of the nodes" in chain.faults("full")[0].detail
        assert chain.status("distilled").placement_share == 1.0


def test_b3_providers_are_tried_in_the_configured_order_one_session_and_one_process_each(tmp_path: Path) -> None:
    chosen = pathway(WARD, model_tier("full", CUDA, MIGRAPHX, CPU))
    with LivingChain(tmp_path, chosen) as chain:
        chain.device("full").breaks(
            load_CUDAExecutionProvider="libraries missing", load_MIGraphXExecutionProvider="aborts"
        )
        chain.until_capable()
        loads = [(pid, what.split()[1]) for pid, what in chain.device("full").journal() if what.startswith("load")]
        assert [provider.removesuffix("ExecutionProvider") for _, provider in loads] == ["CUDA", "MIGraphX", "CPU"]
        assert len({pid for pid, _ in loads}) == 3
        assert chain.status("full").execution_provider is ExecutionProvider.CPU
        chain.until_answered_by("full")


def test_b4_a_graph_that_fails_to_compile_at_run_costs_its_own_tier_and_no_other_on_that_device(tmp_path: Path) -> None:
    other = pathway("theatre", model_tier("full", MIGRAPHX))
    here = pathway(WARD, model_tier("full", MIGRAPHX), model_tier("distilled", CPU))
    with LivingChain(tmp_path, here, other, policy=replace(POLICY, fault_limit=3)) as chain:
        chain.until_whole()
        kept = chain.status("full", of="theatre").worker_pid
        chain.device("full").breaks(run="MIGraphX")
        chain.until_answered_by("distilled")
        # Every new process fails its known answers the same way, until the fault budget is spent.
        chain.until(lambda: chain.status("full").state is TierState.QUARANTINED)
        chain.until_answered_by("distilled")
        assert chain.status("full", of="theatre").worker_pid == kept
        assert chain.faults("full", of="theatre") == []


def test_b5_while_a_tier_compiles_for_long_the_lower_ones_serve_and_say_so(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(load="slow")
        chain.until_capable("DEGRADED")
        question = chain.until_answered_by("distilled")
        assert question.degradation("full").reason is Reason.STARTING
        assert chain.driver.is_alive()
        assert chain.status("full").restarts == 0
        chain.device("full").mends()
        chain.until_capable()
        assert chain.status("full").restarts == 0


def test_b6_an_abort_in_the_driver_takes_the_worker_and_nothing_else(chain: LivingChain) -> None:
    chain.device("full").breaks(run="aborts")
    assert chain.until_answered_by("distilled").wait().failure is None
    chain.until(lambda: any("SIGABRT" in fault.detail or "doorbell" in fault.detail for fault in chain.faults("full")))
    chain.device("full").mends()
    chain.until_answered_by("full")


def test_b7_a_device_that_computes_something_else_is_refused_at_load(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(load="perturbed")
        chain.until_capable("DEGRADED")
        assert refused(chain) is Reason.KNOWN_ANSWER_MISMATCH
        assert "times its tolerance off" in chain.faults("full")[0].detail
        chain.until_answered_by("distilled")


def test_b8_an_artefact_for_another_device_family_costs_its_tier_and_not_the_server(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.device("full").breaks(load="another family")
        chain.until_capable("DEGRADED")
        assert refused(chain) is Reason.EXECUTION_FAILED
        assert "incompatible device" in chain.faults("full")[0].detail
        chain.until_answered_by("distilled")
        assert chain.capabilities()[-1] == "DEGRADED"
