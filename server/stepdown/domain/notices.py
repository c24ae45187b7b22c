"""What observers are told. Nothing ever comes back, and no notice holds a patient's value or token."""

from dataclasses import dataclass
from typing import TypeAlias

from stepdown.domain.activations import ActivationStatus
from stepdown.domain.assessments import Degradation, TierAttempt, TierIdentity
from stepdown.domain.drift import DriftSignal
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability, TierState, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class TierMoved:
    """A tier changed its state."""

    pathway: str
    tier: str
    previous: TierState
    state: TierState
    reason: Reason | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityChanged:
    """A pathway can do more or less than before."""

    pathway: str
    previous: Capability
    capability: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGiven:
    """One request was answered by `answered_by` (None = no tier could). `rows` is 1 for an assessment.

    `slack_s`: time left until the deadline when the request arrived. `attempts`: each tier asked, and how it went.
    """

    pathway: str
    answered_by: TierIdentity | None
    degradations: tuple[Degradation, ...]
    rows: int
    elapsed_s: float
    slack_s: float
    attempts: tuple[TierAttempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFinished:
    """A worker returned a batch. `compute_s` is the model run itself, `queue_s` the mean wait of its requests."""

    pathway: str
    tier: str
    requests: int
    rows: int
    compute_s: float
    queue_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFault:
    """A tier failed a request or a batch, its worker died, hung or refused to start."""

    pathway: str
    tier: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFinished:
    """A golden probe came back; `error` is empty when it passed."""

    pathway: str
    tier: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpawned:
    """A worker process is being started for a tier; `attempt` counts since it last served."""

    pathway: str
    tier: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationMoved:
    """A new version of a tier's bundle began its way into service, went a step further, or came to an end.

    `activation` bears the engine's own time line, which means nothing outside it.
    """

    pathway: str
    tier: str
    activation: ActivationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """A request was refused as a whole, before any tier was asked. `pathway` is empty unless it is a configured one."""

    pathway: str
    reason: RejectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftChanged:
    """A signal began to drift from the reference, or no longer does. `tier` is empty for the pathway's input."""

    pathway: str
    tier: str
    channel: str
    signal: DriftSignal
    drifting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityShed:
    """So many requests of one urgency went without a tier for want of room or time to wait; a lower one is asked."""

    pathway: str
    tier: str
    urgency: Urgency
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShed:
    """A call was turned away because not even the rules could serve it in time. `urgency` None: it was not read."""

    urgency: Urgency | None


Notice: TypeAlias = (
    TierMoved
    | CapabilityChanged
    | AnswerGiven
    | BatchFinished
    | TierFault
    | ProbeFinished
    | WorkerSpawned
    | ActivationMoved
    | RequestRefused
    | DriftChanged
    | FidelityShed
    | CallShed
)
