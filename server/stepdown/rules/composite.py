"""The rules tier's whole answer: the answering score, what lactate makes of it, and the supporting evidence beside it.

Supporting scores never move the band. Lactate can only raise it, by the overlays that the answering rule set itself
declares and that are signed with it; a lactate that was not measured changes nothing and is reported as not assessed.
Without a lactate rule set the answering score stands alone, and the assessment holds no lactate at all.
"""

from dataclasses import dataclass, replace

from stepdown.domain.bands import Band
from stepdown.domain.errors import RuleSetError
from stepdown.domain.intake import RuleInputs
from stepdown.domain.scores import RulesAssessment, ScoreResult
from stepdown.rules.document import SumDocument
from stepdown.rules.rule_set import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """The rule sets of one pathway. Raises `RuleSetError` where an overlay could never act."""

    answering: RuleSet
    lactate: RuleSet | None
    supporting: tuple[RuleSet, ...]

    def __post_init__(self) -> None:
        """Refuse overlays that name another rule set than `lactate`, or a word that it never says."""
        if not isinstance(self.answering.document, SumDocument):
            raise RuleSetError(f"{self.answering.rule_set_id}: only a score that adds points can answer")
        if self.lactate is None:
            return
        words = {outcome.classification for outcome in self.lactate.document.outcome}
        faults = [
            f"{self.answering.rule_set_id}: overlay: {self.lactate.rule_set_id} never says "
            f"{overlay.rule_set} {overlay.classification}"
            for overlay in self.answering.overlays
            if overlay.rule_set != self.lactate.document.id or overlay.classification not in words
        ]
        if faults:
            raise RuleSetError("\n".join(faults))

    def assess(self, inputs: RuleInputs) -> RulesAssessment:
        """Answer for one encounter, however sparse its inputs.

        Raises:
            ValueError: the SpO2 scale is neither 1 nor 2, which intake never lets through.
        """
        answering = self.answering.score(inputs)
        lactate = self.lactate.score(inputs) if self.lactate is not None else None
        band = self._band(answering, lactate)
        trigger = self.answering.hard_trigger_total
        return RulesAssessment(
            band=band,
            floor=self.answering.band_of_total(answering.minimum_total) if band is Band.INDETERMINATE else band,
            complete=answering.complete,
            hard_trigger=trigger is not None and answering.minimum_total >= trigger,
            answering=answering,
            lactate=lactate,
            supporting=tuple(rule_set.score(inputs) for rule_set in self.supporting),
            response=self.answering.response(band, maximum_total=answering.maximum_total),
            alternate_scale=self._on_the_other_scale(inputs) if inputs.want_alternate_scale else None,
        )

    def _band(self, answering: ScoreResult, lactate: ScoreResult | None) -> Band:
        """HIGH where an overlay acts on every total that can be reached, undetermined where it acts on some only."""
        thresholds = (
            overlay.total_at_least
            for overlay in self.answering.overlays
            if lactate is not None and overlay.classification == lactate.classification
        )
        threshold = next(thresholds, answering.maximum_possible + 1)
        if answering.minimum_total >= threshold:
            return Band.HIGH
        if answering.maximum_total >= threshold and answering.band is not Band.HIGH:
            return Band.INDETERMINATE
        return answering.band

    def _on_the_other_scale(self, inputs: RuleInputs) -> ScoreResult:
        return self.answering.score(replace(inputs, spo2_scale=1 if inputs.spo2_scale == 2 else 2))  # noqa: PLR2004
