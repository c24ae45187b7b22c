"""The engine's state as operators see it, at one moment."""

from dataclasses import replace

from stepdown.domain.activations import ActivationStatus
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus, TierStatus
from stepdown.domain.tiers import SERVER_PROCESS, ExecutionProvider, TierState
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.tier import Tier


def snapshot(engine: Engine, *, now_s: float, wall_s: float) -> tuple[PathwayStatus, ...]:
    """Every pathway and tier; `wall_s` is the wall-clock time of `now_s`."""
    offset_s = wall_s - now_s
    return tuple(_pathway(pathway, now_s=now_s, offset_s=offset_s) for pathway in engine.pathways.values())


def _pathway(pathway: Pathway, *, now_s: float, offset_s: float) -> PathwayStatus:
    return PathwayStatus(
        name=pathway.name,
        capability=pathway.capability,
        capability_since_time_s=pathway.since_s + offset_s,
        tiers=tuple(
            _tier(tier, _activation(pathway, tier, offset_s), now_s=now_s, offset_s=offset_s) for tier in pathway.tiers
        ),
        supporting=pathway.supporting,
    )


def _activation(pathway: Pathway, tier: Tier, offset_s: float) -> ActivationStatus | None:
    """The one under way, else the last one."""
    candidate = pathway.candidates.get(tier.rank)
    shown = candidate.status() if candidate is not None else tier.activation
    if shown is None:
        return None
    return replace(shown, start_time_s=shown.start_time_s + offset_s, since_time_s=shown.since_time_s + offset_s)


def _tier(tier: Tier, activation: ActivationStatus | None, *, now_s: float, offset_s: float) -> TierStatus:
    report = tier.report
    silent = tier.state is TierState.SERVING and (tier.stalled() or now_s < tier.unsteady_until_s)
    rules = ExecutionProvider.RULES if tier.spec.is_rules and tier.state is TierState.SERVING else None
    return TierStatus(
        name=tier.name,
        state=tier.state,
        reason=Reason.WORKER_HUNG if silent else tier.reason,
        detail="silent for too long a moment ago; it counts again when it has been steady" if silent else tier.detail,
        since_time_s=tier.since_s + offset_s,
        worker_pid=report.pid if report is not None else None,
        execution_provider=report.execution_provider if report is not None else rules,
        device=report.device if report is not None else (SERVER_PROCESS if rules is not None else ""),
        placement_share=report.placement_share if report is not None else None,
        bundle=tier.spec.bundle.identity if tier.spec.bundle is not None else None,
        latency_p50_ms=_milliseconds(tier.latency.quantile_s(0.5)),
        latency_p99_ms=_milliseconds(tier.latency.quantile_s(0.99)),
        probe_age_s=now_s - tier.last_probe_s if tier.last_probe_s is not None else None,
        probe_error=tier.probe_error,
        breaker=str(tier.breaker.state),
        queue_rows=tier.queue.rows,
        in_flight_rows=sum(flight.rows for flight in tier.flights.values()),
        restarts=tier.restarts,
        answers=tier.answers,
        share=report.share if report is not None else None,
        activation=activation,
        previous=tier.previous.identity if tier.previous is not None else None,
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3
