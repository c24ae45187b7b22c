"""One clinical request from intake to answer, around the engine.

Rules first in hand, then whatever tier the chain gives.

Pure: `prepare` comes before the engine is asked and `finish` after, whoever waits in between.
"""

from dataclasses import dataclass, replace

from stepdown.clinical.intake import take_in
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.assessments import Abstention, Assessment, Risk, TierIdentity
from stepdown.domain.bands import Band
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.intake import InputFlag, InputStatus, Intake
from stepdown.domain.observations import ClinicalRequest
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason
from stepdown.domain.scores import RulesAssessment
from stepdown.domain.tensors import TensorRows
from stepdown.rules.golden import ProvenRules
from stepdown.serving.model_answer import ModelReader
from stepdown.serving.roster import Pathway, TierDescription

_DATA_REASONS = frozenset(
    {AbstentionReason.NO_CLINICAL_DATA, AbstentionReason.STALE_INPUT, AbstentionReason.INSUFFICIENT_DATA}
)
_CORE_VITALS = ("HR", "Resp", "SBP", "O2Sat", "Temp")
# A model gives a number for an almost empty grid as well, and a calm one; below this the rules say what is missing.
_CORE_VITALS_NEEDED = 3
_INDETERMINATE_TEXT = "The values that are missing or stale could change the band: measure them, and assess clinically."


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedAssessment:
    """A request that intake let through, with the answer of the rules of `rules_identity` in hand.

    `payload` None: no model may be asked. `abstained`: no tier need be asked at all. `proven` are the rules that
    answered.
    """

    request: ClinicalRequest
    intake: Intake
    rules: RulesAssessment | None
    rules_identity: TierIdentity | None
    payload: TensorRows | None
    abstained: bool
    proven: ProvenRules | None = None


class ClinicalPathway:
    """A pathway that takes coded observations: its intake policy, its rules and the readers of its models."""

    def __init__(
        self, *, pathway: Pathway, rules: ProvenRules | None, policy: IntakePolicy, valid_for_s: float
    ) -> None:
        """`rules` None: the rule bundles were refused, so only models can answer."""
        self.pathway = pathway
        self.name = pathway.name
        self.budget_ms = pathway.budget_ms
        self._identity = pathway.rules_identity
        self._proven: dict[str, ProvenRules] = {}
        self._condemned: ProvenRules | None = None
        if rules is not None and self._identity is not None:
            self._proven[self._identity.bundle.sha256] = rules
        self._policy = policy
        self._valid_for_s = valid_for_s
        self._readers: dict[tuple[str, str], ModelReader] = {}
        for tier in pathway.tiers:
            for bundle in (tier.bundle, tier.previous):
                if bundle is not None:
                    self.learn(tier.name, bundle)

    def learn(self, tier: str, bundle: VerifiedBundle) -> None:
        """Know how to read what this version of a tier's model gives. Raises ConfigurationError."""
        if bundle.manifest.model is not None:
            self._readers[tier, bundle.sha256] = ModelReader(bundle.manifest.model)

    def exchange(self, pathway: Pathway) -> None:
        """Another version serves in a tier. Other rules answer whatever is prepared from now on."""
        self.pathway = pathway
        before, now = self._identity, pathway.rules_identity
        if now != before:
            self._identity = now
            kept = {identity.bundle.sha256 for identity in (before, now) if identity is not None}
            for sha256 in tuple(self._proven):
                if sha256 not in kept:
                    self._proven.pop(sha256, None)

    # --- rules that go on proving themselves -----------------------------------------------------------------------

    def learn_rules(self, sha256: str, rules: ProvenRules) -> None:
        """Know the rules of the bundle of this digest, loaded for the first time or afresh."""
        self._proven[sha256] = rules

    def rules(self, sha256: str) -> ProvenRules | None:
        """The very rules that answer for the bundle of this digest; None where they are not loaded, or condemned."""
        return self._proven.get(sha256)

    def condemn(self, sha256: str) -> None:
        """These rules no longer give their known answers: nothing that they said is given out any more."""
        self._condemned = self._proven.pop(sha256, None) or self._condemned

    @property
    def tiers(self) -> tuple[TierDescription, ...]:
        """The tiers, best first."""
        return self.pathway.tiers

    def tier(self, name: str) -> TierDescription:
        """The tier of that name. Raises KeyError."""
        return self.pathway.tier(name)

    def prepare(self, request: ClinicalRequest, *, received_time_s: float) -> PreparedAssessment:
        """Validate, convert and score by the rules. Raises RequestRejectedError when the request cannot be trusted."""
        intake = take_in(request, received_time_s=received_time_s, policy=self._policy)
        identity = self._identity
        proven = self._proven.get(identity.bundle.sha256) if identity is not None else None
        rules = proven.composite.assess(intake.rule_inputs) if proven is not None else None
        suits_models = intake.models_in_indication and _charted(intake) >= _CORE_VITALS_NEEDED
        payload = TensorRows(rows=1, tensors=(intake.grid.cells,)) if suits_models else None
        return PreparedAssessment(
            request=request,
            intake=intake,
            rules=rules,
            rules_identity=identity,
            payload=payload,
            abstained=intake.abstention is not None and not _trigger_passes(intake, rules),
            proven=proven,
        )

    def finish(
        self,
        prepared: PreparedAssessment,
        outcome: Outcome | None,
        *,
        generated_time_s: float,
        flags: tuple[InputFlag, ...] = (),
    ) -> Assessment:
        """Put the answer together. `outcome` None only when `prepared.abstained`.

        Raises:
            NoAnswerError: no tier that the caller accepts could answer.
        """
        if prepared.proven is not None and prepared.proven is self._condemned:
            prepared = replace(prepared, rules=None)
        if outcome is None:
            return self._assemble(prepared, None, _abstained(prepared), generated_time_s=generated_time_s, flags=flags)
        if outcome.answered_by is None:
            raise NoAnswerError(reason=outcome.failure or Reason.INTERNAL_FAULT, detail=outcome.failure_detail)
        answer = self._from_model(prepared, outcome) if outcome.result is not None else _from_rules(prepared)
        return self._assemble(prepared, outcome, answer, generated_time_s=generated_time_s, flags=flags)

    def _from_model(self, prepared: PreparedAssessment, outcome: Outcome) -> "_Answer":
        if outcome.answered_by is None or outcome.result is None or outcome.result.outputs is None:
            raise NoAnswerError(reason=Reason.INTERNAL_FAULT, detail="a model answer without outputs")
        reader = self._readers[outcome.answered_by.tier, outcome.answered_by.bundle.sha256]
        outputs = outcome.result.outputs
        risk, band = reader.risk(outputs, want_contributions=prepared.request.want_contributions)
        flags = reader.flags(outputs)
        rules = prepared.rules
        if rules is not None and _disagrees(rules, band):
            detail = f"rules at least {rules.floor.name}, model {band.name}"
            flags += (InputFlag(issue=InputIssue.RULES_DISAGREE, detail=detail),)
        return _Answer(band=band, risk=risk, abstention=None, flags=flags)

    def _assemble(
        self,
        prepared: PreparedAssessment,
        outcome: Outcome | None,
        answer: "_Answer",
        *,
        generated_time_s: float,
        flags: tuple[InputFlag, ...],
    ) -> Assessment:
        request, intake = prepared.request, prepared.intake
        as_of_time_s = request.as_of_time_s if request.as_of_time_s is not None else generated_time_s
        return Assessment(
            request_id=request.request_id,
            correlation_id=request.correlation_id,
            pathway=self.name,
            band=answer.band,
            answered_by=outcome.answered_by if outcome is not None else prepared.rules_identity,
            risk=answer.risk,
            abstention=answer.abstention,
            degradations=outcome.degradations if outcome is not None else (),
            attempts=outcome.attempts if outcome is not None else (),
            rules=prepared.rules,
            used=intake.used,
            dropped=intake.dropped,
            flags=intake.flags + answer.flags + _overlay_flags(prepared.rules) + flags,
            as_of_time_s=as_of_time_s,
            generated_time_s=generated_time_s,
            valid_until_time_s=as_of_time_s + self._valid_for_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    band: Band
    risk: Risk | None
    abstention: Abstention | None
    flags: tuple[InputFlag, ...] = ()


def _overlay_flags(rules: RulesAssessment | None) -> tuple[InputFlag, ...]:
    """Said on every answer while it lasts: rules that could not look at the lactate can miss what it alone shows."""
    if rules is None or rules.lactate is not None:
        return ()
    return (InputFlag(issue=InputIssue.OVERLAY_MISSING, detail="the lactate rules were refused"),)


def _charted(intake: Intake) -> int:
    """How many core vital signs were charted at all, fresh or stale."""
    parameters = intake.rule_inputs.parameters
    return sum(parameters[vital].status is not InputStatus.MISSING for vital in _CORE_VITALS)


def _disagrees(rules: RulesAssessment, band: Band) -> bool:
    """Rules that say HIGH, or cannot tell but start at MEDIUM, above a model that says less."""
    undetermined = rules.band is Band.INDETERMINATE
    return band < rules.floor and (rules.floor is Band.HIGH or (undetermined and rules.floor >= Band.MEDIUM))


def _trigger_passes(intake: Intake, rules: RulesAssessment | None) -> bool:
    """A certain NEWS2 of 7 or more reaches the screen even when other data are missing or stale."""
    return intake.abstention in _DATA_REASONS and rules is not None and rules.hard_trigger


def _abstained(prepared: PreparedAssessment) -> _Answer:
    reason = prepared.intake.abstention or AbstentionReason.INSUFFICIENT_DATA
    abstention = Abstention(reason=reason, text=prepared.intake.abstention_text)
    return _Answer(band=Band.INDETERMINATE, risk=None, abstention=abstention)


def _from_rules(prepared: PreparedAssessment) -> _Answer:
    rules = prepared.rules
    if rules is None:
        condemned = prepared.proven is not None
        why_not = Reason.KNOWN_ANSWER_MISMATCH if condemned else Reason.NOT_CONFIGURED
        raise NoAnswerError(reason=why_not, detail="no rules are in hand")
    abstention = None
    if rules.band is Band.INDETERMINATE:
        stale = any(parameter.status is InputStatus.STALE for parameter in rules.answering.parameters)
        reason = AbstentionReason.STALE_INPUT if stale else AbstentionReason.INSUFFICIENT_DATA
        abstention = Abstention(reason=reason, text=_INDETERMINATE_TEXT)
    return _Answer(band=rules.band, risk=None, abstention=abstention)
