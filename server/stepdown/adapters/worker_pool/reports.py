"""What a worker says about itself before it serves, read strictly: ready, with proof, or refused, with a reason.

Refuses a report that contradicts the manifest: a worker that calls itself ready below its own threshold is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from stepdown.adapters.worker_pool.log import printable
from stepdown.domain.bundles import ModelSpec
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider

_TIMINGS = 64
_DETAIL_CHARACTERS = 600
_LOAD_REASONS = frozenset(
    {
        Reason.PROVIDER_UNAVAILABLE,
        Reason.PLACEMENT_TOO_LOW,
        Reason.KNOWN_ANSWER_MISMATCH,
        Reason.OUT_OF_MEMORY,
        Reason.EXECUTION_FAILED,
        Reason.INTERNAL_FAULT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one provider did not take the model."""

    provider: ExecutionProvider
    reason: Reason
    detail: str


def read_providers(
    body: Mapping[str, Any], offered: Sequence[ExecutionProvider]
) -> tuple[ExecutionProvider, tuple[Refusal, ...]]:
    """The provider a process tried, and a refusal for each that it passed over because its build does not hold it.

    A process that failed before it came to a provider names none: then it was the first.

    Raises:
        WorkerError: it names one that was not offered.
    """
    name = body.get("provider") or offered[0]
    if name not in offered:
        raise _malformed("frame with a provider that was not offered")
    runtime = printable(str(body.get("runtime", "")))
    place = offered.index(ExecutionProvider(name))
    return offered[place], tuple(
        Refusal(provider=provider, reason=Reason.PROVIDER_UNAVAILABLE, detail=f"not in {runtime}")
        for provider in offered[:place]
    )


def read_report(body: Mapping[str, Any], *, pid: int, provider: ExecutionProvider, model: ModelSpec) -> WorkerReport:
    """The report in a READY frame. Raises: WorkerError when it is malformed or below the manifest's thresholds."""
    share, error = _number(body, "placement_share"), _number(body, "known_answer_error")
    if not model.minimum_placement_share <= share <= 1 or not 0 <= error <= 1:
        raise _malformed("READY frame below its own thresholds")
    return WorkerReport(
        pid=pid,
        execution_provider=provider,
        device=printable(str(body.get("device", ""))),
        placement_share=share,
        known_answer_error=error,
        latency_s=_timings(body.get("latency_s"), model.maximum_batch),
    )


def read_refusal(body: Mapping[str, Any], *, provider: ExecutionProvider, telling: str) -> Refusal:
    """The refusal in a REFUSED frame; `telling` is the line of the error stream that names a cause, if any.

    A library that could not be loaded is named there alone: ONNX Runtime keeps the reason to its log.
    """
    reason, detail = body.get("reason"), printable(str(body.get("detail", "")), characters=_DETAIL_CHARACTERS)
    if not isinstance(reason, str) or reason not in _LOAD_REASONS:
        raise _malformed("REFUSED frame without a reason")
    if reason == Reason.PROVIDER_UNAVAILABLE and telling and telling not in detail:
        detail = f"{detail} ({telling})"
    return Refusal(provider=provider, reason=Reason(reason), detail=detail)


def combined(refusals: Sequence[Refusal]) -> tuple[Reason, str]:
    """One reason for all providers tried, in order: what went wrong on the last one that was there at all."""
    reason = Reason.PROVIDER_UNAVAILABLE
    for refusal in refusals:
        reason = reason if refusal.reason is Reason.PROVIDER_UNAVAILABLE else refusal.reason
    if len(refusals) == 1:
        return reason, f"{refusals[0].provider}: {refusals[0].detail}"
    return reason, "; ".join(f"{refusal.provider}: {refusal.reason}, {refusal.detail}" for refusal in refusals)


def _number(body: Mapping[str, Any], key: str) -> float:
    value = body.get(key)
    number = _finite(value)
    if isinstance(value, bool) or number is None:
        raise _malformed(f"READY frame without {key}")
    return number


def _finite(value: object) -> float | None:
    """None for what is no number, or one that only JSON can hold."""
    try:
        number = float(value) if isinstance(value, int | float) else inf
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _timings(value: object, maximum_batch: int) -> tuple[tuple[int, float], ...]:
    if not isinstance(value, list) or len(value) > _TIMINGS:
        raise _malformed("READY frame without timings")
    timings = []
    for entry in value:
        match entry:
            case [int(rows), float(seconds)] if 1 <= rows <= maximum_batch and isfinite(seconds) and seconds >= 0:
                timings.append((rows, seconds))
            case _:
                raise _malformed("READY frame with another timing")
    return tuple(timings)


def _malformed(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=detail)
