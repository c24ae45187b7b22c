"""The status as JSON: the shape that scripts, probes and the page read. Names once published keep their meaning."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from stepdown.domain.activations import ActivationStatus
from stepdown.domain.alarms import StandingAlarm
from stepdown.domain.build import Build
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.drift import DriftReport
from stepdown.domain.drills import InjectedFault, place_of
from stepdown.domain.records import LedgerStatus
from stepdown.domain.status import PathwayStatus, SupportingStatus, TierStatus, WorkerShare
from stepdown.domain.tiers import Capability
from stepdown.transport.listener_options import TransportStatus
from stepdown.transport.operations_http.drift_json import drift_json

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What is told of the server itself.

    `started_time_s` is Unix time; `injected`: every fault that a drill put in; `stopping`: it drains, and takes nothing
    new; `tls_stale`: the certificate files cannot be used, and older material serves on; `transport`: how unary calls
    are served, with the reason where that is not as configured.
    """

    build: Build
    environment: str
    started_time_s: float
    uptime_s: float
    alarms: tuple[StandingAlarm, ...] = ()
    injected: tuple[InjectedFault, ...] = ()
    ledger: LedgerStatus | None = None
    stopping: bool = False
    tls_stale: bool = False
    transport: TransportStatus | None = None


def status_json(server: ServerStatus, pathways: Sequence[PathwayStatus], *, drift: Sequence[DriftReport] = ()) -> Json:
    """The body of `/api/status`. A pathway whose bundles bring no drift reference has a null `drift`."""
    watched = {report.pathway: drift_json(report) for report in drift}
    return {
        "server": {
            "version": server.build.version,
            "code_sha256": server.build.code_sha256,
            "sbom_sha256": server.build.sbom_sha256 or None,
            "environment": server.environment,
            "started_time": _instant(server.started_time_s),
            "uptime_s": round(server.uptime_s, 3),
            "stopping": server.stopping,
            "tls_stale": server.tls_stale,
            "transport": None if server.transport is None else asdict(server.transport),
        },
        "alarms": [_alarm(standing) for standing in server.alarms],
        "injected_faults": [_fault(injected) | place_of(injected.injection) for injected in server.injected],
        "ledger": _ledger(server.ledger) if server.ledger is not None else None,
        "pathways": [_pathway(pathway) | {"drift": watched.get(pathway.name)} for pathway in pathways],
    }


def readiness_json(pathways: Sequence[PathwayStatus], *, stopping: bool = False) -> Json:
    """The body of `/readyz`. Ready means that every pathway can answer, with whatever tier, and will go on doing so."""
    return {
        "ready": is_ready(pathways) and not stopping,
        "pathways": [{"name": pathway.name, "capability": pathway.capability.value} for pathway in pathways],
    }


def is_ready(pathways: Sequence[PathwayStatus]) -> bool:
    """Whether there is a pathway at all and each can answer."""
    return bool(pathways) and all(pathway.capability is not Capability.NONE for pathway in pathways)


def _pathway(pathway: PathwayStatus) -> Json:
    return {
        "name": pathway.name,
        "capability": pathway.capability.value,
        "capability_since_time": _instant(pathway.capability_since_time_s),
        "tiers": [_tier(tier) for tier in pathway.tiers],
        "supporting_rules": [_supporting(rules) for rules in pathway.supporting],
    }


def _supporting(rules: SupportingStatus) -> Json:
    return {
        "name": rules.name,
        "state": rules.state.value,
        "bundle": _bundle(rules.bundle) if rules.bundle is not None else None,
        "reason": rules.reason.value if rules.reason is not None else None,
        "detail": rules.detail,
    }


def _tier(tier: TierStatus) -> Json:
    return {
        "name": tier.name,
        "state": tier.state.value,
        "reason": tier.reason.value if tier.reason is not None else None,
        "detail": tier.detail,
        "since_time": _instant(tier.since_time_s),
        "worker_pid": tier.worker_pid,
        "provider": tier.execution_provider.value if tier.execution_provider is not None else None,
        "device": tier.device,
        "share": _share(tier.share) if tier.share is not None else None,
        "placement_share": tier.placement_share,
        "bundle": _bundle(tier.bundle) if tier.bundle is not None else None,
        "latency_ms": {"p50": _rounded(tier.latency_p50_ms), "p99": _rounded(tier.latency_p99_ms)},
        "probe_age_s": _rounded(tier.probe_age_s),
        "probe_error": tier.probe_error,
        "breaker": tier.breaker,
        "queue_rows": tier.queue_rows,
        "in_flight_rows": tier.in_flight_rows,
        "restarts": tier.restarts,
        "answers": tier.answers,
        "injected_fault": _fault(tier.injected_fault) if tier.injected_fault is not None else None,
        "activation": _activation(tier.activation) if tier.activation is not None else None,
        "previous_bundle": _bundle(tier.previous) if tier.previous is not None else None,
    }


def _activation(activation: ActivationStatus) -> Json:
    return {
        "bundle": _bundle(activation.bundle),
        "replaced_bundle": _bundle(activation.replaces) if activation.replaces is not None else None,
        "state": activation.state.value,
        "canary_share": activation.canary_share,
        "observation_s": activation.observation_s,
        "start_time": _instant(activation.start_time_s),
        "since_time": _instant(activation.since_time_s),
        "answers": activation.answers,
        "worker_pid": activation.worker_pid,
        "reason": activation.reason.value if activation.reason is not None else None,
        "detail": activation.detail,
    }


def _share(share: WorkerShare) -> Json:
    """What its worker may use: null cores are the server's own, null bytes no limit."""
    return {
        "threads": share.threads,
        "cores": list(share.cores) or None,
        "memory_bytes": share.memory_bytes or None,
    }


def _fault(injected: InjectedFault) -> Json:
    return {
        "fault": injected.injection.fault.value,
        "start_time": _instant(injected.start_time_s),
        "end_time": _instant(injected.end_time_s),
    }


def _alarm(standing: StandingAlarm) -> Json:
    return {
        "alarm": standing.alarm.kind.value,
        "subject": standing.alarm.subject,
        "detail": standing.alarm.detail,
        "since_time": _instant(standing.since_time_s),
    }


def _ledger(ledger: LedgerStatus) -> Json:
    return {
        "name": ledger.name,
        "state": ledger.state.value,
        "detail": ledger.detail,
        "size": ledger.size,
        "waiting": ledger.waiting,
        "unrecorded_answers": ledger.unrecorded,
        "missed_records": ledger.missed,
        "checkpoint_size": ledger.checkpoint_size,
        "checkpoint_lag_s": round(ledger.checkpoint_lag_s, 3),
    }


def _bundle(bundle: BundleIdentity) -> Json:
    return {
        "name": bundle.name,
        "version": bundle.version,
        "sha256": bundle.sha256,
        "signers": list(bundle.signers),
    }


def _rounded(number: float | None) -> float | None:
    return round(number, 3) if number is not None else None


def _instant(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, tz=UTC).isoformat(timespec="milliseconds")
