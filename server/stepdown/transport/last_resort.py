"""The rules' answer without the chain: for when the chain broke its promise and an answer is in hand all the same.

Refuses to answer from rules where the caller wants better, or where there are none.
"""

from stepdown.domain.assessments import Degradation, TierIdentity
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.transport.questions import Prepared


def outcome_by_rules(prepared: Prepared, reason: Reason) -> Outcome:
    """The rules tier answers, and no better tier did for this reason. Raises: NoAnswerError where it may not."""
    tiers = prepared.pathway.tiers
    rules = next((tier for tier in tiers if tier.is_rules), None)
    minimum_tier = prepared.assessment.request.minimum_tier
    if rules is None or rules.bundle is None or minimum_tier not in {"", rules.name}:
        raise NoAnswerError(reason=reason, detail="the chain gave no outcome")
    return Outcome(
        answered_by=TierIdentity(
            pathway=prepared.pathway.name,
            tier=rules.name,
            execution_provider=ExecutionProvider.RULES,
            device="server process",
            bundle=rules.bundle.identity,
        ),
        result=None,
        degradations=tuple(Degradation(tier=tier.name, reason=reason) for tier in tiers if not tier.is_rules),
        attempts=(),
    )
