"""A score that adds points (NEWS2, qSOFA, SIRS, MEWS, lactate), compiled."""

from dataclasses import dataclass

from stepdown.domain.intake import SPO2_SCALES, InputStatus, RuleInputs
from stepdown.domain.scores import ParameterScore, ScoreResult
from stepdown.rules.row import Parameters, Row, Selector
from stepdown.rules.totals import Totals, VerdictTable

_ONE_STATE = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRule:
    """Rows to add and verdicts on the total; `selector` tells which tables apply, where that depends on a channel."""

    rule_set_id: str
    rows: tuple[Row, ...]
    selector: Selector | None
    verdicts: VerdictTable
    maximum_possible: int

    def score(self, inputs: RuleInputs) -> ScoreResult:
        """Apply the rule to one encounter.

        Raises:
            ValueError: the SpO2 scale is neither 1 nor 2, which intake never lets through.
        """
        if inputs.spo2_scale not in SPO2_SCALES:
            raise ValueError("the SpO2 scale is 1 or 2")
        scale, parameters = inputs.spo2_scale - 1, inputs.parameters
        states = _ONE_STATE if self.selector is None else self.selector.states(parameters)
        if len(states) == 1:
            trace = tuple([row.mark(parameters, scale, states[0]) for row in self.rows])
        else:
            trace = tuple([row.mark_over(parameters, scale, states) for row in self.rows])
        missing = tuple([score.parameter for score in trace if score.status is not InputStatus.PRESENT])
        if missing:
            totals = self._within_reach(trace, parameters, scale, states)
            minimum, maximum = totals.minimum, totals.maximum
            band, classification = self.verdicts.agreed(totals)
        else:
            points = [score.minimum_points for score in trace]
            minimum = maximum = sum(points)
            band, classification = self.verdicts.of(minimum, greatest=max(points))
        return ScoreResult(
            rule_set_id=self.rule_set_id,
            total=None if missing else minimum,
            minimum_total=minimum,
            maximum_total=maximum,
            maximum_possible=self.maximum_possible,
            band=band,
            classification=classification,
            complete=not missing,
            parameters=trace,
            missing=missing,
        )

    def _within_reach(
        self, trace: tuple[ParameterScore, ...], parameters: Parameters, scale: int, states: tuple[int, ...]
    ) -> Totals:
        """Every total that the missing readings leave open, in every state the selecting channel can be in."""
        worlds = [
            [row.possible(score, parameters, scale, state) for row, score in zip(self.rows, trace, strict=True)]
            for state in states
        ]
        return Totals.reached_by(worlds, trigger=self.verdicts.trigger)
