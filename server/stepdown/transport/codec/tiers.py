"""Tiers and what is known of them, as the wire's messages. No patient data ever passes here."""

from collections.abc import Iterable

from stepdown.api.v1 import operations_service_pb2, tiers_pb2
from stepdown.domain.assessments import Degradation, TierIdentity
from stepdown.domain.status import PathwayStatus, SupportingStatus, TierStatus
from stepdown.transport.codec.activations import encode_activation
from stepdown.transport.codec.drills import encode_injected
from stepdown.transport.codec.enumerations import CAPABILITIES, EXECUTION_PROVIDERS, REASONS, TIER_STATES
from stepdown.transport.codec.identities import encode_bundle
from stepdown.transport.codec.times import duration, timestamp

_MS = 1000.0


def encode_identity(tier: TierIdentity) -> tiers_pb2.TierIdentity:
    """Which tier answered, on what, from which bundle."""
    return tiers_pb2.TierIdentity(
        pathway=tier.pathway,
        tier=tier.tier,
        execution_provider=EXECUTION_PROVIDERS[tier.execution_provider],
        device=tier.device,
        bundle=encode_bundle(tier.bundle),
    )


def encode_degradation(degradation: Degradation) -> tiers_pb2.Degradation:
    """One better tier that did not answer, and why."""
    return tiers_pb2.Degradation(tier=degradation.tier, reason=REASONS[degradation.reason], detail=degradation.detail)


def encode_pathways(pathways: Iterable[PathwayStatus]) -> list[operations_service_pb2.PathwayReport]:
    """One report per pathway, in the order given."""
    return [
        operations_service_pb2.PathwayReport(
            name=pathway.name,
            capability=CAPABILITIES[pathway.capability],
            capability_start_time=timestamp(pathway.capability_since_time_s),
            tiers=[encode_tier(tier) for tier in pathway.tiers],
            supporting_rules=map(_supporting, pathway.supporting),
        )
        for pathway in pathways
    ]


def _supporting(rules: SupportingStatus) -> operations_service_pb2.SupportingRulesReport:
    return operations_service_pb2.SupportingRulesReport(
        name=rules.name,
        state=TIER_STATES[rules.state],
        bundle=None if rules.bundle is None else encode_bundle(rules.bundle),
        reason=None if rules.reason is None else REASONS[rules.reason],
        detail=rules.detail,
    )


def encode_tier(tier: TierStatus) -> operations_service_pb2.TierReport:
    """One tier now; what is not known is not set."""
    provider = tier.execution_provider
    return operations_service_pb2.TierReport(
        name=tier.name,
        state=TIER_STATES[tier.state],
        reason=None if tier.reason is None else REASONS[tier.reason],
        detail=tier.detail,
        state_start_time=timestamp(tier.since_time_s),
        worker_pid=tier.worker_pid,
        execution_provider=None if provider is None else EXECUTION_PROVIDERS[provider],
        device=tier.device,
        placement_share=tier.placement_share,
        bundle=None if tier.bundle is None else encode_bundle(tier.bundle),
        latency_p50=None if tier.latency_p50_ms is None else duration(tier.latency_p50_ms / _MS),
        latency_p99=None if tier.latency_p99_ms is None else duration(tier.latency_p99_ms / _MS),
        probe_age=None if tier.probe_age_s is None else duration(tier.probe_age_s),
        probe_error=tier.probe_error,
        breaker=tier.breaker,
        queue_rows=tier.queue_rows,
        in_flight_rows=tier.in_flight_rows,
        restarts=tier.restarts,
        answers=tier.answers,
        injected_fault=None if tier.injected_fault is None else encode_injected(tier.injected_fault),
        activation=None if tier.activation is None else encode_activation(tier.activation),
        previous_bundle=None if tier.previous is None else encode_bundle(tier.previous),
    )
