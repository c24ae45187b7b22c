"""The answer: which tier gave it, why no better one did, and everything needed to judge it."""

from dataclasses import dataclass

from stepdown.domain.bands import Band
from stepdown.domain.bundles import BundleIdentity, ScoreSemantics
from stepdown.domain.intake import DroppedInput, InputFlag, UsedInput
from stepdown.domain.reasons import AbstentionReason, Reason
from stepdown.domain.scores import RulesAssessment
from stepdown.domain.tiers import ExecutionProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """One better tier that did not answer, and why."""

    tier: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierAttempt:
    """One tier that was asked: `outcome` is None when its answer was used, else the reason it was not."""

    tier: str
    outcome: Reason | None
    elapsed_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierIdentity:
    """Which tier answered, on what, from which bundle."""

    pathway: str
    tier: str
    execution_provider: ExecutionProvider
    device: str
    bundle: BundleIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one input column added to the score, on the model's additive (logit) scale, centred on the training mean."""

    channel: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A model's calibrated probability with its meaning. Rules give a band only, never a probability."""

    probability: float
    semantics: ScoreSemantics
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """No band is given, and why; the text is for the screen."""

    reason: AbstentionReason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One answer for one encounter. Exactly one of `risk` (model), `rules` alone, or `abstention` explains the band.

    `answered_by` is None only for an abstention while the rule bundles are refused; `rules` is None in that case too.
    """

    request_id: str
    correlation_id: str
    pathway: str
    band: Band
    answered_by: TierIdentity | None
    risk: Risk | None
    abstention: Abstention | None
    degradations: tuple[Degradation, ...]
    attempts: tuple[TierAttempt, ...]
    rules: RulesAssessment | None
    used: tuple[UsedInput, ...]
    dropped: tuple[DroppedInput, ...]
    flags: tuple[InputFlag, ...]
    as_of_time_s: float
    generated_time_s: float
    valid_until_time_s: float
