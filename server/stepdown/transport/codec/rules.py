"""What the clinical rules said, as the wire's `RulesAssessment` in bytes. Refuses nothing and rounds nothing.

What a rule set can say of a parameter or of a total is limited by its tables, so those parts are kept ready; values and
times are not.
"""

from functools import lru_cache

from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus
from stepdown.domain.scores import ParameterScore, RulesAssessment, ScoreResult
from stepdown.transport.codec.enumerations import BANDS, PRESENCES
from stepdown.transport.codec.wire_bytes import counted, embedded, instant, present_double, tag, text, varint

_KEPT_PARTS = 8192

_BAND, _COMPLETE, _HARD_TRIGGER = (tag(number, "number") for number in (1, 2, 3))
_ANSWERING, _LACTATE, _SUPPORTING, _RESPONSE, _ALTERNATE = (tag(number, "bytes") for number in (4, 5, 6, 7, 8))
_FLOOR = tag(9, "number")

_RULE_SET_ID, _CLASSIFICATION, _PARAMETERS, _MISSING = (tag(number, "bytes") for number in (1, 7, 9, 10))
_TOTAL, _MINIMUM, _MAXIMUM, _POSSIBLE, _SCORE_BAND, _ALL_KNOWN = (
    tag(number, "number") for number in (2, 3, 4, 5, 6, 8)
)
_RATIO = tag(11, "double")

_PARAMETER, _CODED_VALUE, _UNIT, _OBSERVED = (tag(number, "bytes") for number in (1, 3, 4, 9))
_VALUE = tag(2, "double")
_PRESENCE, _POINTS, _LEAST, _MOST = (tag(number, "number") for number in (5, 6, 7, 8))


def encode_rules(rules: RulesAssessment) -> bytes:
    """The answering rule set, the lactate rule and the supporting evidence, each with its trace."""
    parts = [
        counted(_BAND, BANDS[rules.band]),
        counted(_COMPLETE, rules.complete),
        counted(_HARD_TRIGGER, rules.hard_trigger),
        embedded(_ANSWERING, _score(rules.answering)),
        b"" if rules.lactate is None else embedded(_LACTATE, _score(rules.lactate)),
        *[embedded(_SUPPORTING, _score(score)) for score in rules.supporting],
        text(_RESPONSE, rules.response),
        b"" if rules.alternate_scale is None else embedded(_ALTERNATE, _score(rules.alternate_scale)),
        counted(_FLOOR, BANDS[rules.floor]),
    ]
    return b"".join(parts)


def _score(score: ScoreResult) -> bytes:
    verdict = _verdict(
        score.rule_set_id,
        (score.total, score.minimum_total, score.maximum_total, score.maximum_possible),
        score.band,
        score.classification,
        complete=score.complete,
    )
    parts = [verdict, *[_parameter(parameter) for parameter in score.parameters]]
    if score.missing:
        parts += [embedded(_MISSING, name.encode()) for name in score.missing]
    if score.ratio is not None:
        parts.append(present_double(_RATIO, score.ratio))
    return b"".join(parts)


@lru_cache(maxsize=_KEPT_PARTS)
def _verdict(
    rule_set_id: str, totals: tuple[int | None, int, int, int], band: Band, classification: str, *, complete: bool
) -> bytes:
    """All of a score that its total decides."""
    total, minimum, maximum, possible = totals
    parts = (
        text(_RULE_SET_ID, rule_set_id),
        b"" if total is None else _TOTAL + varint(total),
        counted(_MINIMUM, minimum),
        counted(_MAXIMUM, maximum),
        counted(_POSSIBLE, possible),
        counted(_SCORE_BAND, BANDS[band]),
        text(_CLASSIFICATION, classification),
        counted(_ALL_KNOWN, complete),
    )
    return b"".join(parts)


def _parameter(score: ParameterScore) -> bytes:
    points = (score.points, score.minimum_points, score.maximum_points)
    name, judged = _judgement(score.parameter, score.unit, score.status, points)
    value = score.value
    if value is None:
        given = b""
    elif isinstance(value, str):
        given = embedded(_CODED_VALUE, value.encode())
    else:
        given = present_double(_VALUE, value)
    observed_s = score.observed_time_s
    return embedded(
        _PARAMETERS, name + given + judged + (b"" if observed_s is None else instant(_OBSERVED, observed_s))
    )


@lru_cache(maxsize=_KEPT_PARTS)
def _judgement(
    parameter: str, unit: str, status: InputStatus, points: tuple[int | None, int, int]
) -> tuple[bytes, bytes]:
    """What stands before a parameter's value, and what follows it up to the time."""
    given, least, most = points
    judged = (
        text(_UNIT, unit),
        counted(_PRESENCE, PRESENCES[status]),
        b"" if given is None else _POINTS + varint(given),
        counted(_LEAST, least),
        counted(_MOST, most),
    )
    return text(_PARAMETER, parameter), b"".join(judged)
