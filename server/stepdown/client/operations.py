"""How the tiers of one server are doing, and taking them out and back in, which needs the role `operator`.

Refuses several addresses: what is done to a tier is done on one server, and the caller must know which.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from stepdown.api.v1.operations_service_pb2 import (
    DisableTierRequest,
    EnableTierRequest,
    ListTiersRequest,
    TierReport,
)
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.api.v1.tiers_pb2 import Capability, ExecutionProvider, Reason, TierState
from stepdown.client.connection import AddressError, Credentials
from stepdown.client.failures import AssessmentError

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSummary:
    """One tier in short. None and empty texts: not known, or nothing to say."""

    tier: str
    state: str
    reason: str
    detail: str
    worker_pid: int | None
    provider: str
    device: str
    bundle: str
    sha256: str
    latency_p50_ms: float
    restarts: int
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathwaySummary:
    """One pathway in short, its tiers best first."""

    pathway: str
    capability: str
    tiers: tuple[TierSummary, ...]


def list_tiers(address: str, credentials: Credentials) -> tuple[PathwaySummary, ...]:
    """Every pathway and tier now. Raises AssessmentError, AddressError, OSError."""
    with operations(address, credentials) as service:
        reports = service.ListTiers(ListTiersRequest(), timeout=_TIMEOUT_S).pathways
    return tuple(
        PathwaySummary(
            pathway=report.name,
            capability=Capability.Name(report.capability).removeprefix("CAPABILITY_"),
            tiers=tuple(map(_summary, report.tiers)),
        )
        for report in reports
    )


def disable_tier(address: str, credentials: Credentials, *, pathway: str, tier: str, detail: str) -> TierSummary:
    """Take a tier out until it is enabled; `detail` says why. Raises AssessmentError, AddressError, OSError."""
    request = DisableTierRequest(pathway=pathway, tier=tier, detail=detail)
    with operations(address, credentials) as service:
        return _summary(service.DisableTier(request, timeout=_TIMEOUT_S).tier)


def enable_tier(address: str, credentials: Credentials, *, pathway: str, tier: str) -> TierSummary:
    """Give a tier back, out of DISABLED or QUARANTINED. Raises AssessmentError, AddressError, OSError."""
    request = EnableTierRequest(pathway=pathway, tier=tier)
    with operations(address, credentials) as service:
        return _summary(service.EnableTier(request, timeout=_TIMEOUT_S).tier)


@contextmanager
def operations(address: str, credentials: Credentials) -> Iterator[OperationsServiceStub]:
    """The service of one server, whose failures become errors. Raises AssessmentError, AddressError."""
    if "," in address:
        raise AddressError("tiers belong to one server: give one address")
    with credentials.channel(address, heeds_health=False) as channel:
        try:
            yield OperationsServiceStub(channel)
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error


def _summary(report: TierReport) -> TierSummary:
    provider = report.execution_provider if report.HasField("execution_provider") else None
    return TierSummary(
        tier=report.name,
        state=TierState.Name(report.state).removeprefix("TIER_STATE_"),
        reason=Reason.Name(report.reason).removeprefix("REASON_") if report.HasField("reason") else "",
        detail=report.detail,
        worker_pid=report.worker_pid if report.HasField("worker_pid") else None,
        provider="" if provider is None else ExecutionProvider.Name(provider).removeprefix("EXECUTION_PROVIDER_"),
        device=report.device,
        bundle=f"{report.bundle.name} {report.bundle.version}".strip(),
        sha256=report.bundle.sha256,
        latency_p50_ms=report.latency_p50.ToMicroseconds() / 1000,
        restarts=report.restarts,
        answers=report.answers,
    )
