from stepdown.api.v1.assessments_pb2 import Abstention, AbstentionReason, Assessment, Risk
from stepdown.api.v1.bands_pb2 import Band
from stepdown.api.v1.rules_assessment_pb2 import RulesAssessment, ScoreResult
from stepdown.api.v1.tiers_pb2 import BundleIdentity, Degradation, Reason, TierIdentity
from stepdown.client import AnswerSummary, summarise

RULES = RulesAssessment(answering=ScoreResult(minimum_total=5, maximum_total=5))
BUNDLE = BundleIdentity(name="sepsis-full", version="1.0.0", sha256="ab" * 32)


def test_a_models_answer_in_short() -> None:
    answer = Assessment(
        band=Band.BAND_LOW_MEDIUM,
        answered_by=TierIdentity(tier="full", bundle=BUNDLE),
        risk=Risk(probability=0.04),
        rules_assessment=RULES,
    )
    assert summarise(answer) == AnswerSummary(
        band="LOW_MEDIUM",
        probability=0.04,
        news2="5",
        tier="full",
        bundle="sepsis-full 1.0.0",
        sha256="ab" * 32,
        why="",
    )


def test_every_tier_that_did_not_answer_is_named_with_its_reason() -> None:
    answer = Assessment(
        band=Band.BAND_MEDIUM,
        answered_by=TierIdentity(tier="rules"),
        degradations=[
            Degradation(tier="full", reason=Reason.REASON_WORKER_LOST),
            Degradation(tier="distilled", reason=Reason.REASON_DEADLINE_TOO_SHORT),
        ],
        rules_assessment=RULES,
    )
    short = summarise(answer)
    assert short.why == "full: WORKER_LOST, distilled: DEADLINE_TOO_SHORT"
    assert (short.tier, short.probability) == ("rules", None)


def test_bounds_are_shown_where_values_are_missing_and_the_abstention_where_no_band_is_given() -> None:
    answer = Assessment(
        band=Band.BAND_INDETERMINATE,
        abstention=Abstention(reason=AbstentionReason.ABSTENTION_REASON_INSUFFICIENT_DATA),
        rules_assessment=RulesAssessment(answering=ScoreResult(minimum_total=3, maximum_total=6)),
    )
    short = summarise(answer)
    assert (short.band, short.news2, short.tier, short.why) == ("INDETERMINATE", "3 to 6", "none", "INSUFFICIENT_DATA")


def test_rules_that_see_more_risk_are_never_left_out() -> None:
    answer = Assessment(
        band=Band.BAND_LOW,
        risk=Risk(probability=0.01),
        rules_assessment=RulesAssessment(
            band=Band.BAND_INDETERMINATE,
            floor=Band.BAND_MEDIUM,
            answering=ScoreResult(minimum_total=5, maximum_total=9),
        ),
        rules_disagreement=True,
    )
    short = summarise(answer)
    assert (short.why, short.news2) == ("the rules say at least MEDIUM", "5 to 9")


def test_without_rules_there_is_no_score_to_show() -> None:
    assert summarise(Assessment(band=Band.BAND_LOW, risk=Risk(probability=0.01))).news2 == "-"
