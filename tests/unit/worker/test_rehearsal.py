"""Rehearsed faults, on a real session: each looks like the real one, and ends when it is told to."""

import os
import time
from collections.abc import Iterator

import numpy as np
import pytest

from stepdown.domain.drills import LOAD_FAULTS, InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.faults import classify
from stepdown.worker.mailbox import layout
from stepdown.worker.order import NO_DRILLS, DrillTerms
from stepdown.worker.rehearsal import RehearsedRunner, refuse_to_load
from stepdown.worker.session import SessionPlan, open_session
from tests.fakes.bundles import ECHO, bundle

VALUES = np.array([[0.5, 1, 2], [0.25, 0, 0]], np.float32)


@pytest.fixture(scope="module")
def prepared() -> RehearsedRunner:
    loads = bundle(ECHO)
    model = loads.manifest.model
    assert model is not None
    session = open_session(
        loads.files[model.file], {}, SessionPlan(provider=ExecutionProvider.CPU, minimum_placement_share=1.0)
    )
    formats = (tuple(map(tensor_format, model.inputs)), tuple(map(tensor_format, model.outputs)))
    return RehearsedRunner(session, layout(*formats, maximum_rows=4), ExecutionProvider.CPU)


@pytest.fixture
def runner(prepared: RehearsedRunner) -> Iterator[RehearsedRunner]:
    yield prepared
    prepared.rehearse({"fault": None})


def ran(runner: RehearsedRunner) -> list[np.ndarray]:
    return runner.run((VALUES,), len(VALUES))


def test_without_a_fault_and_after_it_the_runner_is_the_plain_one(runner: RehearsedRunner) -> None:
    plain = [output.tolist() for output in ran(runner)]
    runner.rehearse({"fault": "OUTPUT_WRONG"})
    assert [output.tolist() for output in ran(runner)] != plain
    runner.rehearse({"fault": None})
    assert [output.tolist() for output in ran(runner)] == plain


def test_not_a_number_is_all_that_comes_out(runner: RehearsedRunner) -> None:
    runner.rehearse({"fault": "OUTPUT_NAN"})
    assert all(np.isnan(output).all() for output in ran(runner))


def test_wrong_numbers_are_finite_in_range_and_of_the_right_shape(runner: RehearsedRunner) -> None:
    plain = ran(runner)
    runner.rehearse({"fault": "OUTPUT_WRONG"})
    for right, wrong in zip(plain, ran(runner), strict=True):
        assert (wrong.dtype, wrong.shape) == (right.dtype, right.shape)
        assert np.isfinite(wrong).all()
    assert ran(runner)[0].tolist() == (plain[0] / 2).tolist()


@pytest.mark.parametrize(
    ("fault", "reason", "code"),
    [
        ("STICKY_ERROR", Reason.EXECUTION_FAILED, "CUDA failure 700"),
        ("OUT_OF_MEMORY", Reason.OUT_OF_MEMORY, "BFCArena"),
    ],
)
def test_an_error_reads_like_the_real_one_and_stays(
    runner: RehearsedRunner, fault: str, reason: Reason, code: str
) -> None:
    runner.rehearse({"fault": fault})
    for _ in range(2):
        with pytest.raises(RuntimeError) as raised:
            ran(runner)
        found = classify(raised.value)
        assert (found.reason, found.sticky) == (reason, True)
        assert found.detail.startswith(f"{code}: ")
        assert "drill" in found.detail


def test_a_slow_run_is_late_by_the_delay_and_right(runner: RehearsedRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    plain = ran(runner)[0].tolist()
    runner.rehearse({"fault": "WORKER_SLOW", "delay_s": 0.25})
    assert (ran(runner)[0].tolist(), slept) == (plain, [0.25])


def test_an_abort_ends_the_process(runner: RehearsedRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    class AbortedError(Exception):
        pass

    def abort() -> None:
        raise AbortedError

    monkeypatch.setattr(os, "abort", abort)
    runner.rehearse({"fault": "ABORT"})
    with pytest.raises(AbortedError):
        ran(runner)


def test_types_without_a_nan_are_left_alone(runner: RehearsedRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.array([[3]], np.int64)
    monkeypatch.setattr(type(runner.session), "run", lambda *_: [whole])
    for fault in ("OUTPUT_NAN", "OUTPUT_WRONG"):
        runner.rehearse({"fault": fault})
        assert ran(runner)[0].tolist() == [[3]]


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "WORKER_KILLED"},
        {"fault": "PROVIDER_LOST"},
        {"fault": "EARTHQUAKE"},
        {"fault": 7},
        {"fault": "WORKER_SLOW", "delay_s": "long"},
        {"fault": "WORKER_SLOW", "delay_s": -1},
        {"fault": "WORKER_SLOW", "delay_s": 1e9},
        {"fault": "WORKER_SLOW", "delay_s": float("nan")},
    ],
)
def test_a_fault_that_no_run_can_have_is_a_broken_frame(runner: RehearsedRunner, body: dict[str, object]) -> None:
    with pytest.raises(WorkerError, match="DRILL"):
        runner.rehearse(body)


@pytest.mark.parametrize("fault", sorted(LOAD_FAULTS))
def test_a_device_fault_refuses_the_load_at_its_own_place_only(fault: InjectableFault) -> None:
    terms = DrillTerms(permitted=True, load_fault=fault)
    (other,) = LOAD_FAULTS - {fault}
    refuse_to_load(terms, at=other)
    with pytest.raises(WorkerError) as refused:
        refuse_to_load(terms, at=fault)
    assert refused.value.reason in {Reason.PROVIDER_UNAVAILABLE, Reason.PLACEMENT_TOO_LOW}


def test_without_permission_no_load_is_refused() -> None:
    for fault in LOAD_FAULTS:
        refuse_to_load(NO_DRILLS, at=fault)
        refuse_to_load(DrillTerms(permitted=False, load_fault=fault), at=fault)
