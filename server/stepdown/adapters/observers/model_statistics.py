"""Counts and times per model, from notices alone: what `ModelStatistics` and the `nv_inference_*` metrics both show.

A model is a pathway (`sepsis-early-warning`, the whole chain) or one of its tiers (`sepsis-early-warning/full`).
Refuses to guess: copying tensors in and out is not measured apart from the run, so it has no count of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from stepdown.domain.notices import AnswerGiven, BatchFinished, Notice
from stepdown.domain.reasons import Reason

CHAIN = ""
_NS_PER_S = 1_000_000_000

REJECTED = "REJECTED"
BACKEND = "BACKEND"
OTHER = "OTHER"

FAILURE_CLASS: Mapping[Reason, str] = {
    Reason.QUEUE_FULL: REJECTED,
    Reason.DEADLINE_TOO_SHORT: REJECTED,
    Reason.WORKER_LOST: BACKEND,
    Reason.WORKER_HUNG: BACKEND,
    Reason.EXECUTION_FAILED: BACKEND,
    Reason.OUTPUT_INVALID: BACKEND,
    Reason.OUT_OF_MEMORY: BACKEND,
}
"""Our reasons in the words that Triton's `reason` label knows; every other reason is OTHER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How often, and how long altogether in nanoseconds."""

    count: int
    ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """Runs that held the same number of rows; `compute` is counted once per run."""

    rows: int
    compute: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCounts:
    """One model since the server started.

    `queue` and `compute` are charged to every request of a run, as the protocol does. `failures` pairs the classes of
    `FAILURE_CLASS` with their counts. `last_answer_time_s` is Unix time, None before the first answer.
    """

    rows: int
    runs: int
    success: Duration
    failure: Duration
    queue: Duration
    compute: Duration
    failures: tuple[tuple[str, int], ...]
    batches: tuple[BatchCounts, ...]
    last_answer_time_s: float | None


@dataclass(slots=True)
class _Span:
    count: int = 0
    ns: int = 0

    def add(self, *, times: int, total_s: float) -> None:
        self.count += times
        self.ns += int(total_s * _NS_PER_S)

    def frozen(self) -> Duration:
        return Duration(count=self.count, ns=self.ns)


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    success: _Span = field(default_factory=_Span)
    failure: _Span = field(default_factory=_Span)
    queue: _Span = field(default_factory=_Span)
    compute: _Span = field(default_factory=_Span)
    failures: dict[str, int] = field(default_factory=lambda: dict.fromkeys((REJECTED, BACKEND, OTHER), 0))
    batches: dict[int, _Span] = field(default_factory=dict)
    last_answer_time_s: float | None = None

    def succeeded(self, *, rows: int, elapsed_s: float, time_s: float) -> None:
        self.rows += rows
        self.success.add(times=1, total_s=elapsed_s)
        self.last_answer_time_s = time_s

    def failed(self, *, reason: Reason | None, elapsed_s: float) -> None:
        self.failure.add(times=1, total_s=elapsed_s)
        self.failures[OTHER if reason is None else FAILURE_CLASS.get(reason, OTHER)] += 1

    def ran(self, batch: BatchFinished) -> None:
        self.queue.add(times=batch.requests, total_s=batch.queue_s * batch.requests)
        self.compute.add(times=batch.requests, total_s=batch.compute_s * batch.requests)
        self.batches.setdefault(batch.rows, _Span()).add(times=1, total_s=batch.compute_s)

    def frozen(self) -> ModelCounts:
        batches = sorted(self.batches.items())
        return ModelCounts(
            rows=self.rows,
            runs=sum(span.count for _, span in batches),
            success=self.success.frozen(),
            failure=self.failure.frozen(),
            queue=self.queue.frozen(),
            compute=self.compute.frozen(),
            failures=tuple(sorted(self.failures.items())),
            batches=tuple(BatchCounts(rows=rows, compute=span.frozen()) for rows, span in batches),
            last_answer_time_s=self.last_answer_time_s,
        )


class ModelStatisticsObserver:
    """Keeps one tally per configured model; what is not configured is not counted, so their number never grows."""

    def __init__(self, *, tiers: Mapping[str, tuple[str, ...]], wall_s: Callable[[], float]) -> None:
        """Start every tally at zero. `tiers` maps each pathway to its tier names; `wall_s` is Unix time."""
        self._wall_s = wall_s
        self._lock = Lock()
        self._tallies = {(pathway, tier): _Tally() for pathway, names in tiers.items() for tier in (CHAIN, *names)}

    def notice(self, notice: Notice) -> None:
        """Count answers and runs; everything else is for others."""
        match notice:
            case AnswerGiven() if (notice.pathway, CHAIN) in self._tallies:
                with self._lock:
                    self._answered(notice)
            case BatchFinished() if (notice.pathway, notice.tier) in self._tallies:
                with self._lock:
                    self._tallies[notice.pathway, CHAIN].ran(notice)
                    self._tallies[notice.pathway, notice.tier].ran(notice)
            case _:
                pass

    def snapshot(self) -> Mapping[tuple[str, str], ModelCounts]:
        """Every model's counts now, by pathway and tier; the tier of a whole chain is empty."""
        with self._lock:
            return {key: tally.frozen() for key, tally in self._tallies.items()}

    def _answered(self, answer: AnswerGiven) -> None:
        chain = self._tallies[answer.pathway, CHAIN]
        if answer.answered_by is None:
            reason = answer.degradations[-1].reason if answer.degradations else None
            chain.failed(reason=reason, elapsed_s=answer.elapsed_s)
        else:
            chain.succeeded(rows=answer.rows, elapsed_s=answer.elapsed_s, time_s=self._wall_s())
        self._attempted(answer)

    def _attempted(self, answer: AnswerGiven) -> None:
        by = answer.answered_by.tier if answer.answered_by is not None else None
        for attempt in answer.attempts:
            tally = self._tallies.get((answer.pathway, attempt.tier))
            if tally is None:
                continue
            elapsed_s = attempt.elapsed_ms / 1e3
            if attempt.outcome is None:
                tally.succeeded(rows=answer.rows, elapsed_s=elapsed_s, time_s=self._wall_s())
            else:
                tally.failed(reason=attempt.outcome, elapsed_s=elapsed_s)
        asked = {attempt.tier for attempt in answer.attempts}
        unasked = self._tallies.get((answer.pathway, by)) if by is not None and by not in asked else None
        if unasked is not None:  # the rules answer without being asked
            unasked.succeeded(rows=answer.rows, elapsed_s=answer.elapsed_s, time_s=self._wall_s())
