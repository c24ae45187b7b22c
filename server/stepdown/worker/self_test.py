"""What a worker proves before it says ready: its known answers, together and alone, and how long each batch size takes.

Starting a worker is the accelerator probe. Refuses to be ready with one wrong answer, whatever the device reports.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.known_answers import KnownAnswers, relative_error
from stepdown.worker.runner import ModelRunner

_REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Largest error over its tolerance (<= 1), and median seconds per batch size, smallest size first."""

    known_answer_error: float
    latency_s: tuple[tuple[int, float], ...]


def self_test(runner: ModelRunner, known: KnownAnswers, *, output_names: Sequence[str], warm_up_s: float) -> Proof:
    """Run the known answers, then time the batch sizes for about `warm_up_s`.

    Sizes that did not fit into that time are left out of the timings, except that one row and the largest batch are
    always run, so that memory for it is proven to be there; a provider that compiles per shape runs every size.

    Raises:
        WorkerError: KNOWN_ANSWER_MISMATCH, naming the output that is furthest off. Anything ONNX Runtime raises.
    """
    worst = 0.0
    for rows in _groupings(known.cases, runner.sizes[-1]):
        for name, error in zip(output_names, _errors(runner, known, rows), strict=True):
            if not error <= 1:
                raise WorkerError(
                    reason=Reason.KNOWN_ANSWER_MISMATCH,
                    detail=f"output {name} is {error:.3g} times its tolerance off "
                    f"(cases {rows.start} to {rows.stop - 1} of {known.cases})",
                )
            worst = max(worst, error)
    return Proof(known_answer_error=worst, latency_s=_timed(runner, known, warm_up_s))


def _groupings(cases: int, maximum_rows: int) -> Iterator[range]:
    """Each case alone, then all in batches as large as they may be."""
    for case in range(cases):
        yield range(case, case + 1)
    for first in range(0, cases, maximum_rows):
        yield range(first, min(first + maximum_rows, cases))


def _errors(runner: ModelRunner, known: KnownAnswers, cases: range) -> Iterator[float]:
    shown = runner.shown_rows(len(cases))
    inputs = [_repeated(array[cases.start : cases.stop], shown) for array in known.inputs]
    outputs = runner.run(inputs, len(cases))
    for output, expected, tolerance in zip(outputs, known.outputs, known.tolerances, strict=True):
        yield relative_error(expected[cases.start : cases.stop], output, tolerance=tolerance)


def _timed(runner: ModelRunner, known: KnownAnswers, warm_up_s: float) -> tuple[tuple[int, float], ...]:
    smallest, *between, largest = runner.sizes if len(runner.sizes) > 1 else (*runner.sizes, *runner.sizes)
    deadline_s = time.perf_counter() + warm_up_s
    timings: dict[int, float] = {}
    for size in (smallest, largest, *between):
        if time.perf_counter() > deadline_s and size in between and not runner.must_warm_every_size:
            break
        timings[size] = _median_s(runner, [_repeated(array, size) for array in known.inputs], size, deadline_s)
    return tuple(sorted(timings.items()))


def _median_s(runner: ModelRunner, inputs: Sequence[np.ndarray], size: int, deadline_s: float) -> float:
    """Median of a few runs after a first one, which pays for memory and kernels; at least one run is timed."""
    runner.run(inputs, size)
    seconds = []
    for _ in range(_REPEATS):
        start_s = time.perf_counter()
        runner.run(inputs, size)
        seconds.append(time.perf_counter() - start_s)
        if time.perf_counter() > deadline_s:
            break
    return median(seconds)


def _repeated(array: np.ndarray, rows: int) -> np.ndarray:
    return np.resize(array, (rows, *array.shape[1:]))
