"""Decides whether the scores apply to this patient at all, and says so in words fit for a screen."""

from stepdown.clinical.findings import Findings
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.assessments import Abstention
from stepdown.domain.observations import Indication, Pregnancy, Sex
from stepdown.domain.reasons import AbstentionReason, InputIssue

# Ages at which pregnancy is asked about before an early warning score made for those who are not pregnant is used.
_CHILDBEARING_YEARS = (12.0, 55.0)


NO_CLINICAL_DATA = Abstention(
    reason=AbstentionReason.NO_CLINICAL_DATA,
    text="No usable clinical observation was sent: no score. Assess clinically.",
)
STALE_INPUT = Abstention(
    reason=AbstentionReason.STALE_INPUT,
    text="Every vital sign is too old to stand for the patient now: no score. Measure again and assess clinically.",
)
_TOO_YOUNG = Abstention(
    reason=AbstentionReason.OUT_OF_INDICATION_AGE,
    text="The scores are not made for this age: no score. Use a paediatric early warning score.",
)
_PREGNANT = Abstention(
    reason=AbstentionReason.OUT_OF_INDICATION_PREGNANCY,
    text="The scores are not made for pregnancy or the time after it: no score. Use a maternity early warning score.",
)
_LIMITED = Abstention(
    reason=AbstentionReason.LIMITED_VALIDITY,
    text="This site gives no score in spinal cord injury or under treatment limits. Assess clinically.",
)


def scope(indication: Indication, *, age_years: float, policy: IntakePolicy, findings: Findings) -> Abstention | None:
    """Why the patient is out of indication, or None; what merely weakens the scores is flagged."""
    limited = _limited(indication, policy, findings)
    _flag_unknown_pregnancy(indication, age_years, findings)
    if age_years < policy.age_floor_rules_years:
        return _TOO_YOUNG
    if indication.pregnancy is Pregnancy.YES:
        return _PREGNANT
    return _LIMITED if limited else None


def models_apply(*, age_years: float, policy: IntakePolicy, findings: Findings) -> bool:
    """Whether the models were made for this age; where only the rules apply, that is flagged."""
    if age_years >= policy.age_floor_models_years:
        return True
    findings.flag(
        InputIssue.MODEL_OUT_OF_INDICATION,
        channel="Age",
        detail="no model was made for this age: the rules alone apply",
    )
    return False


def _limited(indication: Indication, policy: IntakePolicy, findings: Findings) -> bool:
    """Flag what limits validity; whether the site wants no score then."""
    limits = (
        (
            indication.spinal_cord_injury,
            policy.spinal_cord_injury_abstains,
            "spinal cord injury: vital signs lose part of their meaning",
        ),
        (
            indication.treatment_limits,
            policy.treatment_limits_abstain,
            "treatment limits are in force: a score may not call for escalation",
        ),
    )
    for holds, _, detail in limits:
        if holds:
            findings.flag(InputIssue.LIMITED_VALIDITY, detail=detail)
    return any(holds and abstains for holds, abstains, _ in limits)


def _flag_unknown_pregnancy(indication: Indication, age_years: float, findings: Findings) -> None:
    youngest, oldest = _CHILDBEARING_YEARS
    possible = indication.sex is Sex.FEMALE and youngest <= age_years <= oldest
    if possible and indication.pregnancy is Pregnancy.UNKNOWN:
        findings.flag(
            InputIssue.PREGNANCY_UNKNOWN, detail="pregnancy was not ruled out: the scores are not made for it"
        )
