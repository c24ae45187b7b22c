"""The known-answer test of a rule bundle: inputs, and beside them the results written down from the publication.

Run before a rule set answers anyone. Refuses to judge by tolerance: points are whole numbers, and a ratio is compared
as it is shown.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stepdown.domain.errors import RuleSetError
from stepdown.domain.intake import InputStatus, RuleInput, RuleInputs
from stepdown.domain.scores import ScoreResult
from stepdown.rules.rule_set import RuleSet
from stepdown.rules.schema import BandName

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class KnownInput(_Entry):
    """One reading that is not simply present at time 0."""

    value: _Finite | str | None = None
    status: InputStatus = InputStatus.PRESENT
    observed_time_s: _Finite | None = 0.0


class KnownInputs(_Entry):
    """What the rule set is given; a channel left out is missing."""

    spo2_scale: int = 1
    parameters: dict[str, _Finite | str | KnownInput]

    def rule_inputs(self) -> RuleInputs:
        """The inputs as intake would hand them over."""
        return RuleInputs(
            spo2_scale=self.spo2_scale,
            parameters={
                channel: RuleInput(value=given.value, status=given.status, observed_time_s=given.observed_time_s)
                if isinstance(given, KnownInput)
                else RuleInput(value=given, observed_time_s=0.0)
                for channel, given in self.parameters.items()
            },
        )


class KnownResult(_Entry):
    """What must come out. `points` names every row of the trace in order; None where a row stays open."""

    total: int | None
    minimum_total: int
    maximum_total: int
    band: BandName | Annotated[str, Field(pattern="^INDETERMINATE$")]
    classification: str
    complete: bool
    missing: list[str]
    points: dict[str, int | None]
    ratio: _Finite | None = None


class KnownAnswer(_Entry):
    """One case of the test; `name` says what it shows."""

    name: Annotated[str, Field(min_length=1)]
    inputs: KnownInputs
    expected: KnownResult


_ANSWERS: TypeAdapter[tuple[KnownAnswer, ...]] = TypeAdapter(
    Annotated[tuple[KnownAnswer, ...], Field(min_length=1)],
)


def parse_known_answers(text: bytes) -> tuple[KnownAnswer, ...]:
    """Parse the bytes of a rule bundle's `known_answers.json`.

    Raises:
        RuleSetError: the bytes are not such a file; every fault is named.
    """
    try:
        return _ANSWERS.validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise RuleSetError(
            "\n".join(f"known answers: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        ) from error


def mismatches(rule_set: RuleSet, answers: tuple[KnownAnswer, ...]) -> tuple[str, ...]:
    """Score every case and say where the result is not the known one; empty when all agree."""
    return tuple(
        f"{rule_set.rule_set_id}: {answer.name}: {key} is {got!r}, known to be {expected!r}"
        for answer in answers
        for key, got, expected in _differences(rule_set.score(answer.inputs.rule_inputs()), answer.expected)
    )


def require_known_answers(rule_set: RuleSet, text: bytes) -> None:
    """Run the known-answer test of a bundle: `text` is its `known_answers.json`.

    Raises:
        RuleSetError: the bytes are not such a file, or the rule set gives another answer; every difference is named.
    """
    differences = mismatches(rule_set, parse_known_answers(text))
    if differences:
        raise RuleSetError("\n".join(differences))


def _differences(result: ScoreResult, expected: KnownResult) -> tuple[tuple[str, object, object], ...]:
    pairs = (
        ("total", result.total, expected.total),
        ("minimum_total", result.minimum_total, expected.minimum_total),
        ("maximum_total", result.maximum_total, expected.maximum_total),
        ("band", result.band.name, expected.band),
        ("classification", result.classification, expected.classification),
        ("complete", result.complete, expected.complete),
        ("missing", list(result.missing), expected.missing),
        ("points", [(one.parameter, one.points) for one in result.parameters], list(expected.points.items())),
        ("ratio", result.ratio, expected.ratio),
    )
    return tuple((key, got, known) for key, got, known in pairs if got != known)
