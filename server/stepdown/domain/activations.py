"""A new version of a tier's bundle on its way into service: where it stands, and why an operator's wish is refused."""

from dataclasses import dataclass
from enum import StrEnum

from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.errors import StepdownError
from stepdown.domain.reasons import Reason, RejectReason


class ActivationState(StrEnum):
    """Where a new version is on its way. The last two are ends."""

    LOADING = "LOADING"
    PROBATION = "PROBATION"
    CANARY = "CANARY"
    PROMOTED = "PROMOTED"
    ROLLED_BACK = "ROLLED_BACK"


ENDED = frozenset({ActivationState.PROMOTED, ActivationState.ROLLED_BACK})
"""The states in which nothing is on its way any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationStatus:
    """One activation, under way or the last one that ended.

    `canary_share` is its share of the tier's requests (0..1) while it is on trial, `answers` how many it has answered.
    `reason` and `detail` say why it was rolled back; no reason means that an operator wanted it or the server stops.
    Times are Unix seconds.
    """

    bundle: BundleIdentity
    replaces: BundleIdentity | None
    state: ActivationState
    canary_share: float
    observation_s: float
    start_time_s: float
    since_time_s: float
    answers: int = 0
    worker_pid: int | None = None
    reason: Reason | None = None
    detail: str = ""


DEFAULT_CANARY_SHARE = 0.1
DEFAULT_OBSERVATION_S = 600.0
"""What an operator gets who says nothing: every tenth request, for ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationWish:
    """What an operator asks for. `sha256` empty: whatever the trust policy accepts; None: the default."""

    pathway: str
    tier: str
    version: str
    sha256: str = ""
    canary_share: float | None = None
    observation_s: float | None = None


class ActivationRefusedError(StepdownError):
    """What the operator wishes cannot be done now, and nothing has changed; `reason` is the wire's."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        """Say what stands in the way, and what to do about it."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
