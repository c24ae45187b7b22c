"""The rules' answer without the chain: for when the chain broke its promise and an answer is in hand all the same.

Refuses to answer from rules where the caller wants better, or where there are none.
"""

from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.reasons import Reason
from stepdown.transport.questions import Prepared


def outcome_by_rules(prepared: Prepared, reason: Reason) -> Outcome:
    """The rules tier answers, and no better tier did for this reason. Raises: NoAnswerError where it may not."""
    pathway = prepared.pathway.pathway
    rules = pathway.rules_identity
    if rules is None or prepared.assessment.request.minimum_tier not in {"", rules.tier}:
        raise NoAnswerError(reason=reason, detail="the chain gave no outcome")
    return Outcome(
        answered_by=rules,
        result=None,
        degradations=tuple(Degradation(tier=tier.name, reason=reason) for tier in pathway.models),
        attempts=(),
    )
