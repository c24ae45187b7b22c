import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from stepdown.domain.errors import WorkerError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.known_answers import KnownAnswers
from stepdown.worker.mailbox import layout
from stepdown.worker.runner import ModelRunner
from stepdown.worker.self_test import self_test
from tests.fakes.bundles import ECHO

NAMES = ("score", "checks")


class FakeSession:
    """Computes the echo and remembers how many rows it was shown; `wrong_from` rows on, it lies."""

    placement_share = 1.0

    def __init__(self, *, wrong_from: int = 10**9) -> None:
        self.shown: list[int] = []
        self._wrong_from = wrong_from

    def run(self, output_names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        values = inputs["values"]
        self.shown.append(len(values))
        lie = 1.0 if len(values) >= self._wrong_from else 0.0
        outputs = ECHO.compute(inputs)
        return [outputs[name] + np.float32(lie) for name in output_names]


def runner(session: FakeSession, *, provider: ExecutionProvider = ExecutionProvider.CPU, rows: int = 8) -> ModelRunner:
    plan = layout(tuple(map(tensor_format, ECHO.inputs)), tuple(map(tensor_format, ECHO.outputs)), maximum_rows=rows)
    return ModelRunner(session, plan, provider)  # type: ignore[arg-type]


def known(cases: int = 12) -> KnownAnswers:
    values = ECHO.examples["values"][:cases]
    answers = ECHO.compute({"values": values})
    return KnownAnswers(
        cases=cases,
        inputs=(values,),
        outputs=(answers["score"], answers["checks"]),
        tolerances=(0.01, 0.01),
    )


def test_every_case_is_run_alone_and_in_batches_as_large_as_may_be() -> None:
    session = FakeSession()
    proof = self_test(runner(session), known(), output_names=NAMES, warm_up_s=0)
    assert session.shown[:14] == [1] * 12 + [8, 4]
    assert proof.known_answer_error == 0


def test_the_largest_error_is_reported_in_tolerances() -> None:
    answers = known()
    off = replace(answers, outputs=(answers.outputs[0], answers.outputs[1] + np.float32(0.005)))
    proof = self_test(runner(FakeSession()), off, output_names=NAMES, warm_up_s=0)
    assert proof.known_answer_error == pytest.approx(0.5, rel=1e-3)


def test_a_device_that_is_wrong_only_in_large_batches_is_found_and_the_output_named() -> None:
    with pytest.raises(WorkerError, match=r"output score is 100 times its tolerance off \(cases 0 to 7 of 12\)"):
        self_test(runner(FakeSession(wrong_from=5)), known(), output_names=NAMES, warm_up_s=0)


def test_not_a_number_is_never_within_tolerance() -> None:
    answers = known()
    missing = answers.outputs[0].copy()
    missing[3] = np.nan
    with pytest.raises(WorkerError, match="cases 3 to 3"):
        self_test(
            runner(FakeSession()),
            replace(answers, outputs=(missing, answers.outputs[1])),
            output_names=NAMES,
            warm_up_s=0,
        )


def test_every_batch_size_is_timed_when_there_is_time() -> None:
    proof = self_test(runner(FakeSession(), rows=6), known(), output_names=NAMES, warm_up_s=30)
    assert [size for size, _ in proof.latency_s] == [1, 2, 4, 6]
    assert all(seconds > 0 for _, seconds in proof.latency_s)


def test_without_time_one_row_and_the_largest_batch_are_run_all_the_same() -> None:
    session = FakeSession()
    proof = self_test(runner(session), known(), output_names=NAMES, warm_up_s=0)
    assert [size for size, _ in proof.latency_s] == [1, 8]
    assert session.shown[-2:] == [8, 8]


def test_a_worker_for_single_rows_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks) * 0.001)
    proof = self_test(runner(FakeSession(), rows=1), known(), output_names=NAMES, warm_up_s=30)
    ((size, seconds),) = proof.latency_s
    assert (size, round(seconds, 6)) == (1, 0.001)


def test_a_provider_that_compiles_per_shape_sees_warmed_sizes_only() -> None:
    session = FakeSession()
    compiling = runner(session, provider=ExecutionProvider.MIGRAPHX, rows=6)
    proof = self_test(compiling, known(), output_names=NAMES, warm_up_s=0)
    assert set(session.shown) == {1, 2, 4, 6}
    assert [size for size, _ in proof.latency_s] == [1, 2, 4, 6]
    values = np.zeros((4, 3), np.float32)
    assert [len(output) for output in compiling.run((values,), 3)] == [3, 3]
    assert [compiling.shown_rows(rows) for rows in range(1, 7)] == [1, 2, 4, 4, 6, 6]


def test_a_provider_that_does_not_is_shown_what_there_is() -> None:
    assert [runner(FakeSession()).shown_rows(rows) for rows in (1, 3, 8)] == [1, 3, 8]
