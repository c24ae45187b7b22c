"""A score that divides one reading by another (shock index), compiled: compared exactly, in integers.

Binary fractions would put 63/90 and 140/200 on either side of 0.7, so no ratio is formed before the verdict is known.
"""

from dataclasses import dataclass
from math import floor
from sys import float_info

from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus, RuleInput, RuleInputs
from stepdown.domain.scores import ParameterScore, ScoreResult
from stepdown.rules.row import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTerm:
    """One term: the channel it is read from, and its unit."""

    channel: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioVerdict:
    """What holds up to `edge` (numerator, denominator; None for the last), `edge` itself included where `inclusive`."""

    band: Band
    classification: str
    edge: tuple[int, int] | None
    inclusive: bool

    def holds(self, *, numerator: int, denominator: int) -> bool:
        """Whether numerator/denominator lies no higher than the edge."""
        if self.edge is None:
            return True
        left, right = numerator * self.edge[1], self.edge[0] * denominator
        return left <= right if self.inclusive else left < right


def whole_number(value: object) -> int | None:
    """`value` rounded half-up to a whole number; None for a bool, a text, NaN or an infinity."""
    if isinstance(value, bool) or not isinstance(value, (float, int)):
        return None
    if not -float_info.max <= value <= float_info.max:
        return None
    below = floor(value)
    return below + (value - below >= 0.5)  # noqa: PLR2004 half-up, and exact: the subtraction loses no bit that matters


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotientRule:
    """Numerator over denominator. Answers only for two positive readings taken at most `maximum_apart_s` apart."""

    rule_set_id: str
    numerator: CompiledTerm
    denominator: CompiledTerm
    maximum_apart_s: int
    verdicts: tuple[RatioVerdict, ...]
    invalid: str
    undetermined: str

    def score(self, inputs: RuleInputs) -> ScoreResult:
        """Apply the rule to one encounter; `ratio` is rounded half-up to two decimals, as it is shown."""
        terms = (self.numerator, self.denominator)
        given = tuple(inputs.parameters.get(term.channel, ABSENT) for term in terms)
        numbers = tuple(whole_number(one.value) if one.status is InputStatus.PRESENT else None for one in given)
        trace = tuple(_trace(term, one, number) for term, one, number in zip(terms, given, numbers, strict=True))
        band, classification, ratio = self._verdict(numbers[0], numbers[1], simultaneous=self._simultaneous(*given))
        return ScoreResult(
            rule_set_id=self.rule_set_id,
            total=None,
            minimum_total=0,
            maximum_total=0,
            maximum_possible=0,
            band=band,
            classification=classification,
            complete=ratio is not None,
            parameters=trace,
            missing=tuple(score.parameter for score in trace if score.status is not InputStatus.PRESENT),
            ratio=ratio,
        )

    def _simultaneous(self, numerator: RuleInput, denominator: RuleInput) -> bool:
        """Whether both times are known and near; an unknown or NaN time proves nothing."""
        first, second = numerator.observed_time_s, denominator.observed_time_s
        return first is not None and second is not None and abs(first - second) <= self.maximum_apart_s

    def _verdict(
        self, numerator: int | None, denominator: int | None, *, simultaneous: bool
    ) -> tuple[Band, str, float | None]:
        if numerator is None or denominator is None:
            return Band.INDETERMINATE, self.undetermined, None
        if numerator <= 0 or denominator <= 0:
            return Band.INDETERMINATE, self.invalid, None
        if not simultaneous:
            return Band.INDETERMINATE, self.undetermined, None
        verdict = next(one for one in self.verdicts if one.holds(numerator=numerator, denominator=denominator))
        hundredths = (200 * numerator + denominator) // (2 * denominator)
        return verdict.band, verdict.classification, hundredths / 100


def _trace(term: CompiledTerm, given: RuleInput, number: int | None) -> ParameterScore:
    known = number is not None
    status = (
        InputStatus.PRESENT
        if known
        else InputStatus.STALE
        if given.status is InputStatus.STALE
        else InputStatus.MISSING
    )
    return ParameterScore(
        parameter=term.channel,
        value=given.value if known else None,
        unit=term.unit,
        status=status,
        points=0 if known else None,
        minimum_points=0,
        maximum_points=0,
        observed_time_s=given.observed_time_s,
    )
