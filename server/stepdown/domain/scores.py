"""Results of the published clinical rules, with the trace an auditor needs."""

from dataclasses import dataclass
from typing import NamedTuple

from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus


class ParameterScore(NamedTuple):
    """One parameter's part in a score.

    A missing one has `points` None and counts `minimum_points`..`maximum_points`.
    """

    parameter: str
    value: float | str | None
    unit: str
    status: InputStatus
    points: int | None
    minimum_points: int
    maximum_points: int
    observed_time_s: float | None


class ScoreResult(NamedTuple):
    """One rule set applied to one encounter.

    `total` is None unless complete; `minimum_total`..`maximum_total` bound what the missing parameters could make it.
    `ratio` is set by quotient rules (shock index) only. `classification` is the rule's own word (`positive`, `raised`,
    …).
    """

    rule_set_id: str
    total: int | None
    minimum_total: int
    maximum_total: int
    maximum_possible: int
    band: Band
    classification: str
    complete: bool
    parameters: tuple[ParameterScore, ...]
    missing: tuple[str, ...] = ()
    ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAssessment:
    """The answering rule set (NEWS2 with the lactate overlay) and the supporting evidence, which never lowers the band.

    `hard_trigger`: NEWS2 of at least 7 whatever the missing values are; it always reaches the screen.
    `lactate` None: its rules were refused at load. `floor`: the lowest band that the missing values leave open, `band`
    itself when that is determined. `response` is the published minimum response for the band.
    """

    band: Band
    floor: Band
    complete: bool
    hard_trigger: bool
    answering: ScoreResult
    lactate: ScoreResult | None
    supporting: tuple[ScoreResult, ...]
    response: str
    alternate_scale: ScoreResult | None = None
