"""What the engine wants done. The driver carries these out in order, under the same lock."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from stepdown.domain.assessments import Degradation, TierAttempt, TierIdentity
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import Notice
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import ExecutionProvider


class BatchKind(StrEnum):
    """Why a batch is sent: for callers, or to prove the worker during probation with copies of live requests."""

    LIVE = "live"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnWorker:
    """Start a worker process for a tier; it tries the providers in order and reports ready, refused or exited."""

    worker: int
    pathway: str
    tier: str
    bundle: VerifiedBundle
    execution_providers: tuple[ExecutionProvider, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KillWorker:
    """End a worker at once (SIGKILL); never wait for it."""

    worker: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchBatch:
    """Copy the payloads into slot `slot` of the worker and ring its doorbell with `sequence`."""

    worker: int
    slot: int
    sequence: int
    kind: BatchKind
    payloads: tuple[TensorRows, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchProbe:
    """Run known answer number `case` (modulo their count) of the worker's bundle and compare."""

    worker: int
    slot: int
    sequence: int
    case: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveRules:
    """Ask the rules of this bundle their known answers again, where requests ask them; `RulesProved` follows.

    `anew`: load them from the verified bytes first, since those in memory can no longer be trusted.
    """

    pathway: str
    tier: str
    sequence: int
    bundle: VerifiedBundle
    anew: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a request ended.

    `answered_by` None: nobody may answer it, and `failure` says why. `result` None with `answered_by` set: the rules in
    hand answer.
    """

    answered_by: TierIdentity | None
    result: RowsResult | None
    degradations: tuple[Degradation, ...]
    attempts: tuple[TierAttempt, ...]
    failure: Reason | None = None
    failure_detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """Give a caller the outcome. Exactly one per accepted request, unless the caller cancelled."""

    request: Request
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Pass a notice to the observers."""

    notice: Notice


Effect: TypeAlias = SpawnWorker | KillWorker | DispatchBatch | DispatchProbe | ProveRules | AnswerRequest | Tell
