"""What a manifest says its numbers mean: score, band thresholds and input checks, and whether they fit the outputs.

Refuses a score without thresholds, thresholds that do not rise, and checks that would refuse before they flag.
"""

from stepdown.domain.bundles import BandThresholds, InputCheckPolicy, ModelSpec, ScoreSemantics, TensorSpec
from stepdown.trust.fields import Fields

_FLOATS = frozenset(("FP32", "FP64"))


def read_score(fields: Fields) -> ScoreSemantics:
    """`[score]`: which output is the probability, of what, within which time, for whom."""
    horizon_h = fields.number("horizon_h")
    if horizon_h <= 0.0:
        fields.problem("horizon_h", "must be more than 0 hours")
    return ScoreSemantics(
        output=fields.text("output"),
        outcome=fields.text("outcome"),
        horizon_h=horizon_h,
        population=fields.text("population"),
        calibration=fields.text("calibration"),
    )


def read_thresholds(fields: Fields) -> BandThresholds:
    """`[thresholds]`: the lowest probability of each band, strictly rising between 0 and 1."""
    thresholds = BandThresholds(
        low_medium=fields.number("low_medium"), medium=fields.number("medium"), high=fields.number("high")
    )
    if not 0.0 < thresholds.low_medium < thresholds.medium < thresholds.high < 1.0:
        fields.problem("low_medium", "< medium < high must hold, all between 0 and 1")
    return thresholds


def read_input_checks(fields: Fields) -> InputCheckPolicy:
    """`[input_checks]`: from where a check in the graph flags its row, and from where it refuses it."""
    checks = InputCheckPolicy(
        output=fields.text("output"), flag_at=fields.number("flag_at"), refuse_at=fields.number("refuse_at")
    )
    if not 0.0 < checks.flag_at <= checks.refuse_at:
        fields.problem("flag_at", "must be more than 0 and at most refuse_at")
    return checks


def check_meaning(fields: Fields, model: ModelSpec) -> None:
    """Note in `fields` where score, thresholds and checks do not fit the outputs or one another."""
    outputs = {output.name: output for output in model.outputs}
    if (model.score is None) != (model.thresholds is None):
        fields.problem("thresholds", "and score need each other")
    if model.score is not None:
        _check_score_output(fields, outputs.get(model.score.output))
    if model.input_checks is not None:
        _check_checks_output(fields, outputs.get(model.input_checks.output))


def _check_score_output(fields: Fields, output: TensorSpec | None) -> None:
    if output is None:
        fields.problem("score.output", "names no output of the graph")
    elif output.datatype not in _FLOATS or output.shape not in {(-1,), (-1, 1)}:
        fields.problem("score.output", "must name an output of one FP32 or FP64 number in each row")
    elif output.minimum is None or output.maximum is None or output.minimum < 0.0 or output.maximum > 1.0:
        fields.problem("score.output", "must name an output whose minimum and maximum lie between 0 and 1")


def _check_checks_output(fields: Fields, output: TensorSpec | None) -> None:
    if output is None:
        fields.problem("input_checks.output", "names no output of the graph")
    elif output.datatype not in _FLOATS or not output.labels:
        fields.problem("input_checks.output", "must name an FP32 or FP64 output with labels")
