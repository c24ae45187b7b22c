"""What may happen to the engine. Whoever holds one of these drives the engine with it, under one lock."""

from dataclasses import dataclass
from typing import TypeAlias

from stepdown.domain.assessments import TierIdentity
from stepdown.domain.bands import Band
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import Urgency


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """One question for a pathway. `deadline_s` is on the engine's monotonic time line.

    `payload` None means that no model may be asked (out of indication). `rules_in_hand`: the rules have answered
    already, those of `rules_identity` if that is given: they may have been exchanged since; `rules_band` is what they
    say. `only_tier` addresses one tier alone (Open Inference Protocol); `minimum_tier` forbids anything lower. `client`
    is the caller's authenticated identity, for a fair share among callers; never a patient's. `vetted`: intake has
    checked what the payload was made of. `models_spared`: too much waits for the server itself, so no model may be
    asked. `reply_to` is the driver's own token; the engine hands it back untouched.
    """

    pathway: str
    payload: TensorRows | None
    deadline_s: float
    reply_to: object
    rules_in_hand: bool = False
    rules_identity: TierIdentity | None = None
    minimum_tier: str = ""
    only_tier: str = ""
    urgency: Urgency = Urgency.ROUTINE
    client: str = ""
    vetted: bool = True
    rules_band: Band = Band.INDETERMINATE
    models_spared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsArrived:
    """Requests decoded in one wake-up of a lane."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCancelled:
    """The caller went away; nothing need be answered."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker loaded its bundle and passed its known answers."""

    worker: int
    report: WorkerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRefused:
    """A worker could not load; `reason` says why. Its process ends by itself and `WorkerExited` follows."""

    worker: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerExited:
    """A worker's process is gone, or could not be started. The last event about that worker.

    `reason`: OUT_OF_MEMORY where its end shows that it died for want of memory.
    """

    worker: int
    detail: str
    reason: Reason = Reason.WORKER_LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompleted:
    """A worker answered the batch `sequence`: one result per request, in dispatch order."""

    worker: int
    sequence: int
    results: tuple[RowsResult, ...]
    compute_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailed:
    """A worker reported that the run of batch `sequence` failed. `sticky`: the process can no longer be trusted."""

    worker: int
    sequence: int
    reason: Reason
    detail: str
    sticky: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCompleted:
    """A golden probe came back and was compared with its known answer; `error` is empty when it passed."""

    worker: int
    sequence: int
    error: str
    compute_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesProved:
    """The rules of a tier were asked their known answers; `error` is empty when they gave them."""

    pathway: str
    tier: str
    sequence: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDisabled:
    """An operator takes a tier out of service."""

    pathway: str
    tier: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierEnabled:
    """An operator gives a tier back (also out of QUARANTINED)."""

    pathway: str
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleActivated:
    """An operator brings a new version into a tier. It is loaded beside the one that serves.

    Once proved it answers `canary_share` of the tier's requests (0..1, exactly) for `observation_s`, and takes the tier
    over if it gave no cause for complaint. Rules are exchanged at once.
    """

    pathway: str
    tier: str
    bundle: VerifiedBundle
    canary_share: float = 1.0
    observation_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRolledBack:
    """An operator takes back the version on its way; if there is none, the predecessor of the serving one returns."""

    pathway: str
    tier: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDenied:
    """A bundle that was verified once has been put on the denylist: it serves nowhere any more."""

    sha256: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStarted:
    """The server is stopping: answer what was accepted, start nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing happened but time; deadlines, watchdogs, probes and respawns may be due."""


Event: TypeAlias = (
    RequestsArrived
    | RequestCancelled
    | WorkerReady
    | WorkerRefused
    | WorkerExited
    | BatchCompleted
    | BatchFailed
    | ProbeCompleted
    | RulesProved
    | TierDisabled
    | TierEnabled
    | BundleActivated
    | BundleRolledBack
    | BundleDenied
    | DrainStarted
    | TimePassed
)
