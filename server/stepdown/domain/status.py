"""What operators see: pathways, their tiers and workers at one moment. No patient data ever."""

from dataclasses import dataclass

from stepdown.domain.activations import ActivationStatus
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.drills import InjectedFault
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerShare:
    """What a worker may use of its machine. No `cores`: those of the server; `memory_bytes` 0: no limit."""

    threads: int
    cores: tuple[int, ...]
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker proved about itself when it became ready.

    `placement_share`: nodes on the asked provider over all nodes (0..1). `known_answer_error`: largest absolute error
    over its tolerance (<= 1 passes). `latency_s` pairs (batch rows, median seconds) measured at warm-up.
    `share` is the server's to say: what it gave.
    """

    pid: int
    execution_provider: ExecutionProvider
    device: str
    placement_share: float
    known_answer_error: float
    latency_s: tuple[tuple[int, float], ...]
    share: WorkerShare | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStatus:
    """One tier now. Durations in seconds, latency in milliseconds; None = not known yet, or no drill is on.

    `activation` is the one under way or the last one; `previous` the version that a rollback would bring back.
    """

    name: str
    state: TierState
    reason: Reason | None
    detail: str
    since_time_s: float
    worker_pid: int | None
    execution_provider: ExecutionProvider | None
    device: str
    placement_share: float | None
    bundle: BundleIdentity | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    probe_age_s: float | None
    probe_error: str
    breaker: str
    queue_rows: int
    in_flight_rows: int
    restarts: int
    answers: int
    injected_fault: InjectedFault | None = None
    share: WorkerShare | None = None
    activation: ActivationStatus | None = None
    previous: BundleIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportingStatus:
    """A rule bundle beside the answering one: overlay or evidence. It serves or is REFUSED, which `reason` explains."""

    name: str
    state: TierState
    bundle: BundleIdentity | None = None
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathwayStatus:
    """One pathway now; tiers best first. `capability_since_time_s` is wall-clock Unix time."""

    name: str
    capability: Capability
    capability_since_time_s: float
    tiers: tuple[TierStatus, ...]
    supporting: tuple[SupportingStatus, ...] = ()
