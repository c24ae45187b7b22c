"""Changing the bundle of a tier on one server, which needs the role `operator`, and following how it goes."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from stepdown.api.v1.operations_service_pb2 import (
    ActivateBundleRequest,
    ActivationReport,
    ActivationState,
    RollbackBundleRequest,
    TierReport,
    WatchTiersRequest,
)
from stepdown.api.v1.tiers_pb2 import BundleIdentity, Reason
from stepdown.client.connection import Credentials
from stepdown.client.operations import operations

PROMOTED = "PROMOTED"
ENDED = frozenset({PROMOTED, "ROLLED_BACK"})
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationSummary:
    """How a version stands, or how it ended. `replaced` is the version that serves unless this one is promoted."""

    bundle: str
    sha256: str
    replaced: str
    state: str
    canary_share: float
    observation_s: float
    answers: int
    reason: str
    detail: str
    start_time_s: float


def activate_bundle(  # noqa: PLR0913 - one parameter for each field of the request
    address: str,
    credentials: Credentials,
    *,
    pathway: str,
    tier: str,
    version: str,
    detail: str,
    sha256: str = "",
    canary_share: float | None = None,
    observation_s: float | None = None,
) -> ActivationSummary:
    """Have a version brought in beside the one that serves. Raises AssessmentError, AddressError, OSError."""
    request = ActivateBundleRequest(
        pathway=pathway, tier=tier, version=version, sha256=sha256, canary_share=canary_share, detail=detail
    )
    if observation_s is not None:
        request.observation.CopyFrom(Duration(nanos=round(observation_s % 1 * 1e9), seconds=int(observation_s)))
    with operations(address, credentials) as service:
        return _summary(service.ActivateBundle(request, timeout=_TIMEOUT_S).tier.activation)


def rollback_bundle(
    address: str, credentials: Credentials, *, pathway: str, tier: str, detail: str
) -> ActivationSummary:
    """Take back the version on its way, or bring the one before back. Raises AssessmentError, AddressError, OSError."""
    request = RollbackBundleRequest(pathway=pathway, tier=tier, detail=detail)
    with operations(address, credentials) as service:
        return _summary(service.RollbackBundle(request, timeout=_TIMEOUT_S).tier.activation)


def watch_activation(
    address: str, credentials: Credentials, *, pathway: str, tier: str, begun: ActivationSummary, timeout_s: float
) -> Iterator[ActivationSummary]:
    """Each step of an activation that has begun, to its end. Raises AssessmentError, AddressError, OSError."""
    last = ""
    with operations(address, credentials) as service:
        for told in service.WatchTiers(WatchTiersRequest(pathway=pathway), timeout=timeout_s):
            reports = [report for each in told.pathways for report in each.tiers if report.name == tier]
            now = _of_this(reports, begun)
            if now is None or now.state == last:
                continue
            last = now.state
            yield now
            if last in ENDED:
                return


def _of_this(reports: list[TierReport], begun: ActivationSummary) -> ActivationSummary | None:
    summaries = [_summary(report.activation) for report in reports if report.HasField("activation")]
    return next((each for each in summaries if each.sha256 == begun.sha256), None)


def _summary(report: ActivationReport) -> ActivationSummary:
    return ActivationSummary(
        bundle=_named(report.bundle),
        sha256=report.bundle.sha256,
        replaced=_named(report.replaced_bundle),
        state=ActivationState.Name(report.state).removeprefix("ACTIVATION_STATE_"),
        canary_share=report.canary_share,
        observation_s=report.observation.ToMilliseconds() / 1000,
        answers=report.answers,
        reason=Reason.Name(report.reason).removeprefix("REASON_") if report.HasField("reason") else "",
        detail=report.detail,
        start_time_s=report.start_time.ToMicroseconds() / 1e6,
    )


def _named(bundle: BundleIdentity) -> str:
    return f"{bundle.name} {bundle.version}".strip()
