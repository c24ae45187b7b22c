"""Whose fault a bad output is, and what merely looks wrong. Suspicion asks for proof; only proof condemns."""

from dataclasses import replace
from struct import pack

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.bundles import BandThresholds, ScoreSemantics
from stepdown.domain.engine_effects import DispatchProbe
from stepdown.domain.engine_events import BatchFailed
from stepdown.domain.notices import TierFault
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from stepdown.worker.faults import classify
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench

INVALID = RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
PATIENT = replace(POLICY, probe_period_s=30.0)


def scored(spec: TierSpec) -> TierSpec:
    """The tier with a score and bands, as a clinical model has them."""
    assert spec.bundle is not None
    assert spec.bundle.manifest.model is not None
    model = replace(
        spec.bundle.manifest.model,
        score=ScoreSemantics(
            output="probability", outcome="sepsis", horizon_h=6, population="adult", calibration="Platt"
        ),
        thresholds=BandThresholds(low_medium=0.02, medium=0.05, high=0.12),
    )
    return replace(spec, bundle=replace(spec.bundle, manifest=replace(spec.bundle.manifest, model=model)))


def clinical() -> EngineBench:
    full, distilled, rules = CHAIN.tiers
    chain = PathwaySpec(name=PATHWAY, tiers=(scored(full), scored(distilled), rules))
    bench = EngineBench(pathways=(chain,), policy=PATIENT)
    bench.serve("full", "distilled")
    bench.wait(1.0)
    return bench


def probes(bench: EngineBench, tier: str = "full") -> int:
    return sum(probe.worker == bench.worker(tier) for probe in bench.of(DispatchProbe))


def answer(bench: EngineBench, number: int, score: bytes, *, rules_band: Band = Band.INDETERMINATE) -> None:
    bench.ask(bench.request(budget_s=0.1, tensor=bytes([number]), rules_band=rules_band))
    bench.now_s += 0.001
    bench.reply("full", RowsResult(outputs={"probability": score}))


@pytest.fixture
def bench() -> EngineBench:
    bench = EngineBench(policy=PATIENT)
    bench.serve("full", "distilled")
    bench.wait(1.0)
    return bench


def test_raw_tensors_that_give_bad_outputs_do_not_close_the_tier_for_others(bench: EngineBench) -> None:
    before = probes(bench)
    for _ in range(30):
        bench.ask(bench.request(vetted=False, only_tier="full", budget_s=0.1))
        bench.reply("full", INVALID)
        bench.now_s += 0.001
    assert bench.state("full") == "SERVING"
    assert {outcome.failure for outcome in bench.outcomes()} == {Reason.OUTPUT_INVALID}
    assert probes(bench) == before + 1
    faults = [fault for fault in bench.notices(TierFault) if isinstance(fault, TierFault)]
    assert {fault.reason for fault in faults} == {Reason.INPUT_UNSUITABLE}


def test_a_device_that_spoils_raw_tensors_is_found_by_the_probe_they_bring_forward(bench: EngineBench) -> None:
    bench.ask(bench.request(vetted=False))
    bench.reply("full", INVALID)
    bench.prove("full", error="off by 9 tolerances")
    assert bench.killed("full")


def test_a_run_that_raised_over_raw_tensors_is_not_counted_against_the_tier(bench: EngineBench) -> None:
    for _ in range(30):
        bench.ask(bench.request(vetted=False, budget_s=0.1))
        batch = bench.last_batch("full")
        failed = BatchFailed(
            worker=batch.worker, sequence=batch.sequence, reason=Reason.EXECUTION_FAILED, detail="", sticky=False
        )
        bench.send(failed)
        bench.reply("distilled")
        bench.now_s += 0.001
    assert bench.state("full") == "SERVING"


def test_an_input_that_a_model_refuses_is_not_counted_against_it_even_when_vetted(bench: EngineBench) -> None:
    for _ in range(10):
        bench.ask(bench.request(budget_s=0.1))
        batch = bench.last_batch("full")
        failed = BatchFailed(
            worker=batch.worker, sequence=batch.sequence, reason=Reason.INPUT_UNSUITABLE, detail="", sticky=False
        )
        bench.send(failed)
        bench.reply("distilled")
    assert bench.state("full") == "SERVING"


def test_good_raw_tensors_neither_heal_nor_harm(bench: EngineBench) -> None:
    before = probes(bench)
    bench.ask(bench.request(vetted=False))
    bench.reply("full")
    assert probes(bench) == before
    assert bench.outcomes()[-1].answered_by is not None


def test_probation_is_not_tried_with_raw_tensors() -> None:
    bench = EngineBench()
    bench.serve("distilled")
    bench.ready("full")
    for _ in range(POLICY.probation_probes - 1):
        bench.prove("full")
        bench.wait(0.01)
    bench.ask(bench.request(vetted=False))
    assert not any(batch.worker == bench.worker("full") for batch in bench.of(type(bench.last_batch("distilled"))))


def test_one_output_for_different_inputs_brings_the_probe_forward() -> None:
    bench = clinical()
    before = probes(bench)
    for number in range(7):
        answer(bench, number, pack("<f", 0.07))
    assert probes(bench) == before + 1
    bench.prove("full", error="off by 9 tolerances")
    assert bench.killed("full")


def test_the_same_patient_asked_again_and_again_is_no_sign_of_anything() -> None:
    bench = clinical()
    before = probes(bench)
    for _ in range(40):
        answer(bench, 1, pack("<f", 0.07))
    assert probes(bench) == before


def test_answers_grossly_at_odds_with_the_rules_bring_the_probe_forward() -> None:
    bench = clinical()
    for number in range(40):
        answer(bench, number, pack("<f", 0.001 + number / 1e5), rules_band=Band.LOW)
    before = probes(bench)
    for number in range(16):
        answer(bench, number, pack("<f", 0.5 + number / 1e3), rules_band=Band.LOW)
    assert probes(bench) == before + 1


def test_rules_that_cannot_tell_disagree_with_nobody() -> None:
    bench = clinical()
    before = probes(bench)
    for number in range(40):
        answer(bench, number, pack("<f", 0.5 + number / 1e3))
    assert probes(bench) == before


def test_what_is_no_score_is_not_read_as_one() -> None:
    bench = clinical()
    before = probes(bench)
    answer(bench, 1, b"", rules_band=Band.HIGH)
    bench.ask(bench.request())
    bench.reply("full", RowsResult(outputs={"other": b"1234"}))
    bench.ask(bench.request())
    bench.reply("full", INVALID)
    assert probes(bench) == before + 1


def test_what_onnx_runtime_says_of_an_input_takes_no_tier_away(bench: EngineBench) -> None:
    said = classify(RuntimeError("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input"))
    for _ in range(10):
        bench.ask(bench.request(budget_s=0.1))
        batch = bench.last_batch("full")
        bench.send(
            BatchFailed(
                worker=batch.worker,
                sequence=batch.sequence,
                reason=said.reason,
                detail=said.detail,
                sticky=said.sticky,
            )
        )
        bench.reply("distilled")
    assert bench.state("full") == "SERVING"


def test_a_worker_that_cannot_take_its_own_golden_input_is_ended_as_a_broken_model(bench: EngineBench) -> None:
    bench.ask(bench.request(vetted=False))
    bench.reply("full", INVALID)
    probe = [probe for probe in bench.of(DispatchProbe) if probe.worker == bench.worker("full")][-1]
    failed = BatchFailed(
        worker=probe.worker, sequence=probe.sequence, reason=Reason.INPUT_UNSUITABLE, detail="", sticky=False
    )
    bench.send(failed)
    assert bench.killed("full")
    told = [fault for fault in bench.notices(TierFault) if isinstance(fault, TierFault)]
    assert told[-1].reason is Reason.EXECUTION_FAILED
