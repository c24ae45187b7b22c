"""What the clinical rules said, as the wire's `RulesAssessment`. Refuses nothing and rounds nothing."""

from stepdown.api.v1 import rules_assessment_pb2
from stepdown.domain.scores import ParameterScore, RulesAssessment, ScoreResult
from stepdown.transport.codec.enumerations import BANDS, PRESENCES
from stepdown.transport.codec.times import timestamp


def encode_rules(rules: RulesAssessment) -> rules_assessment_pb2.RulesAssessment:
    """The answering rule set, the lactate rule and the supporting evidence, each with its trace."""
    message = rules_assessment_pb2.RulesAssessment(
        band=BANDS[rules.band],
        floor=BANDS[rules.floor],
        complete=rules.complete,
        hard_trigger=rules.hard_trigger,
        answering=_score(rules.answering),
        lactate=None if rules.lactate is None else _score(rules.lactate),
        supporting=[_score(score) for score in rules.supporting],
        response=rules.response,
    )
    if rules.alternate_scale is not None:
        message.alternate_scale.CopyFrom(_score(rules.alternate_scale))
    return message


def _score(score: ScoreResult) -> rules_assessment_pb2.ScoreResult:
    return rules_assessment_pb2.ScoreResult(
        rule_set_id=score.rule_set_id,
        total=score.total,
        minimum_total=score.minimum_total,
        maximum_total=score.maximum_total,
        maximum_possible=score.maximum_possible,
        band=BANDS[score.band],
        classification=score.classification,
        complete=score.complete,
        parameters=[_parameter(parameter) for parameter in score.parameters],
        missing=score.missing,
        ratio=score.ratio,
    )


def _parameter(score: ParameterScore) -> rules_assessment_pb2.ParameterScore:
    return rules_assessment_pb2.ParameterScore(
        parameter=score.parameter,
        value=None if isinstance(score.value, str) else score.value,
        coded_value=score.value if isinstance(score.value, str) else None,
        unit=score.unit,
        presence=PRESENCES[score.status],
        points=score.points,
        minimum_points=score.minimum_points,
        maximum_points=score.maximum_points,
        observed_time=None if score.observed_time_s is None else timestamp(score.observed_time_s),
    )
