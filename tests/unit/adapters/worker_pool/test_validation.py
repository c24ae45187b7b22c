import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stepdown.adapters.worker_pool.validation import OutputValidator
from stepdown.domain.bundles import InputCheckPolicy, ModelSpec, TensorSpec
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult

SCORE = TensorSpec(name="score", datatype="FP32", shape=(-1, 1), minimum=0.0, maximum=1.0)
CHECKS = TensorSpec(name="checks", datatype="FP32", shape=(-1, 2), labels=("A", "B"))
CLASS = TensorSpec(name="class", datatype="INT64", shape=(-1,), minimum=0, maximum=3)
LOGITS = TensorSpec(name="logits", datatype="FP16", shape=(-1, 2, 2))
REFUSE_AT = InputCheckPolicy(output="checks", flag_at=1.0, refuse_at=3.0)


def model(*outputs: TensorSpec, checks: InputCheckPolicy | None = None) -> ModelSpec:
    return ModelSpec(
        file="model.onnx",
        external_data=(),
        maximum_batch=64,
        minimum_placement_share=1.0,
        inputs=(),
        outputs=outputs,
        input_checks=checks,
    )


def judged(spec: TensorSpec, values: object, dtype: str, counts: tuple[int, ...] = ()) -> tuple[RowsResult, ...]:
    array = np.array(values, dtype)
    checks = REFUSE_AT if spec is CHECKS else None
    return OutputValidator(model(spec, checks=checks)).results([array.tobytes()], counts or (1,) * len(array))


def reasons(results: tuple[RowsResult, ...]) -> list[Reason | None]:
    return [result.reason for result in results]


def test_bounds_are_inclusive_and_everything_beyond_is_invalid() -> None:
    found = reasons(judged(SCORE, [[0.0], [1.0], [1.0000001], [-1e-9], [np.nan], [np.inf], [-np.inf]], "f4"))
    assert found == [None, None, *[Reason.OUTPUT_INVALID] * 5]


def test_the_detail_names_output_and_rows_and_never_the_value() -> None:
    (result,) = judged(SCORE, [[0.5], [37.25], [-4.5]], "f4", (3,))
    assert result.detail == "output score: not a number of 0 to 1 in 2 row(s)"
    (unbounded,) = judged(LOGITS, np.full((1, 2, 2), np.nan), "f2")
    assert unbounded.detail == "output logits: not finite in 1 row(s)"


def test_one_bad_row_spoils_its_request_and_no_other() -> None:
    found = reasons(judged(SCORE, [[0.1], [0.2], [np.nan], [0.4]], "f4", (1, 2, 1)))
    assert found == [None, Reason.OUTPUT_INVALID, None]


def test_integers_are_bounded_and_need_not_be_finite() -> None:
    assert reasons(judged(CLASS, [0, 3, 4, -1], "i8")) == [None, None, Reason.OUTPUT_INVALID, Reason.OUTPUT_INVALID]


def test_checks_refuse_from_their_threshold_on_and_are_named() -> None:
    below, at, both = judged(CHECKS, [[2.99, 2.99], [0, 3.0], [9, 9]], "f4")
    assert (below.reason, below.outputs is not None) == (None, True)
    assert (at.reason, at.detail) == (Reason.INPUT_UNSUITABLE, "input checks: B")
    assert both.detail == "input checks: A, B"


def test_a_check_that_is_no_number_is_an_invalid_output() -> None:
    assert reasons(judged(CHECKS, [[np.nan, 9]], "f4")) == [Reason.OUTPUT_INVALID]


def test_checks_without_labels_are_named_by_their_place() -> None:
    spec = TensorSpec(name="checks", datatype="FP32", shape=(-1, 2))
    validator = OutputValidator(model(spec, checks=REFUSE_AT))
    assert validator.results([np.array([[0, 5]], "f4").tobytes()], (1,))[0].detail == "input checks: check 1"


def test_an_invalid_score_counts_before_an_unsuitable_input() -> None:
    validator = OutputValidator(model(CHECKS, SCORE, checks=REFUSE_AT))
    raw = [np.array([[5, 5]], "f4").tobytes(), np.array([[7]], "f4").tobytes()]
    assert validator.results(raw, (1,))[0].reason is Reason.OUTPUT_INVALID


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_requests_get_exactly_their_rows_whatever_their_sizes(counts: list[int]) -> None:
    rows = sum(counts)
    scores = np.linspace(0, 1, rows, dtype=np.float32).reshape(rows, 1)
    logits = np.arange(rows * 4, dtype=np.float16).reshape(rows, 2, 2)
    results = OutputValidator(model(SCORE, LOGITS)).results([scores.tobytes(), logits.tobytes()], counts)
    starts = np.cumsum([0, *counts])
    for result, start, stop in zip(results, starts, starts[1:], strict=False):
        assert result.outputs == {
            "score": scores[start:stop].tobytes(),
            "logits": logits[start:stop].tobytes(),
        }


@given(hnp.arrays(np.float32, st.integers(1, 9).map(lambda rows: (rows, 1))))
def test_exactly_the_finite_scores_within_bounds_pass(scores: np.ndarray) -> None:
    results = OutputValidator(model(SCORE)).results([scores.tobytes()], (1,) * len(scores))
    lawful = np.isfinite(scores) & (scores >= 0) & (scores <= 1)
    assert [result.outputs is not None for result in results] == lawful.ravel().tolist()


@pytest.mark.parametrize("counts", [(3,), (1, 1, 1)])
def test_a_batch_of_one_request_is_not_cut(counts: tuple[int, ...]) -> None:
    assert [result.reason for result in judged(SCORE, [[0.1], [0.2], [0.3]], "f4", counts)] == [None] * len(counts)
