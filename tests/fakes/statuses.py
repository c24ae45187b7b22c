"""Statuses, identities and notices to begin from: a test names only what it is about."""

from dataclasses import replace
from typing import Any

from stepdown.domain.assessments import Degradation, TierIdentity
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.notices import AnswerGiven
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus, TierStatus, WorkerShare
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState

PATHWAY = "sepsis-early-warning"
TIERS = {PATHWAY: ("full", "distilled", "rules")}

_TIER = TierStatus(
    name="full",
    state=TierState.SERVING,
    reason=None,
    detail="",
    since_time_s=1_700_000_000.0,
    worker_pid=4711,
    execution_provider=ExecutionProvider.CPU,
    device="AMD EPYC",
    share=WorkerShare(threads=2, cores=(2, 3), memory_bytes=0),
    placement_share=1.0,
    bundle=BundleIdentity(name="sepsis-full", version="1.0.0", sha256="ab" * 32, signers=("demo-signer",)),
    latency_p50_ms=1.5,
    latency_p99_ms=4.25,
    probe_age_s=0.75,
    probe_error="",
    breaker="CLOSED",
    queue_rows=3,
    in_flight_rows=2,
    restarts=1,
    answers=99,
)


def tier_status(**changes: Any) -> TierStatus:  # noqa: ANN401 - any field may be named
    """A tier that serves, but for what is named."""
    return replace(_TIER, **changes)


def suspended_tier(**changes: Any) -> TierStatus:  # noqa: ANN401 - any field may be named
    """A tier without worker, bundle or numbers."""
    nothing: dict[str, Any] = {
        "state": TierState.SUSPENDED,
        "reason": Reason.WORKER_LOST,
        "detail": "signal 9",
        "worker_pid": None,
        "execution_provider": None,
        "device": "",
        "share": None,
        "placement_share": None,
        "bundle": None,
        "latency_p50_ms": None,
        "latency_p99_ms": None,
        "probe_age_s": None,
    }
    return tier_status(**(nothing | changes))


def pathway_status(*tiers: TierStatus, name: str = PATHWAY, capability: Capability = Capability.FULL) -> PathwayStatus:
    """A pathway of these tiers, or of one that serves."""
    return PathwayStatus(
        name=name, capability=capability, capability_since_time_s=1_700_000_000.0, tiers=tiers or (tier_status(),)
    )


def tier_identity(tier: str = "full", *, version: str = "1.0.0") -> TierIdentity:
    """Who answered."""
    rules = tier == "rules"
    return TierIdentity(
        pathway=PATHWAY,
        tier=tier,
        execution_provider=ExecutionProvider.RULES if rules else ExecutionProvider.CPU,
        device="server process" if rules else "AMD EPYC",
        bundle=BundleIdentity(name=f"sepsis-{tier}", version=version, sha256="ab" * 32, signers=("demo-signer",)),
    )


def degradation(tier: str, reason: Reason, detail: str = "") -> Degradation:
    """A better tier that did not answer."""
    return Degradation(tier=tier, reason=reason, detail=detail)


def answer_given(**changes: Any) -> AnswerGiven:  # noqa: ANN401 - any field may be named
    """The best tier answered one row, but for what is named."""
    plain = AnswerGiven(
        pathway=PATHWAY, answered_by=tier_identity(), degradations=(), rows=1, elapsed_s=0.002, slack_s=0.5
    )
    return replace(plain, **changes)
