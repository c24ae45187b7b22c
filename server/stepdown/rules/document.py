"""What a `rules.toml` may say as a whole: where it comes from, whom it is for, how it scores and what the result means.

Every clause a clinician must be able to review is written out (what counts when a value is missing, which end of a band
is included, which codes a score does not know), so that nothing is left to the program. Laws that tie tables together
are in `consistency`; nothing is compiled here.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, field_validator

from stepdown.rules.interval import cover_faults
from stepdown.rules.parameter_document import Parameter
from stepdown.rules.schema import NOT_EMPTY, Channel, Cites, Key, Points, RangedTable, Table, Text, Total, Unit, Verdict


class TotalOutcome(Verdict):
    """The verdict for totals from `at_least` to `at_most`, both included."""

    at_least: Total
    at_most: Total


class RatioOutcome(Verdict, RangedTable):
    """The verdict for a run of ratios."""


class SingleParameter(Verdict):
    """The verdict for totals `total_at_least`..`total_at_most` where one parameter alone earns `points` or more."""

    points: Points
    total_at_least: Total
    total_at_most: Total


class Overlay(Table):
    """Another rule set's classification that makes the answer HIGH once this total is at least `total_at_least`.

    Only HIGH can be reached so: a raise to anything less would leave an undetermined answer undetermined.
    """

    rule_set: Key
    classification: Key
    total_at_least: Total
    band: Literal["HIGH"]
    cites: Cites


class Undetermined(Table):
    """The word and the response where missing values leave the verdict open."""

    classification: Key
    response: Text


class Source(Table):
    """The publication that the rules transcribe."""

    authors: Text
    title: Text
    published: Text
    identifier: Text


class Citation(Table):
    """A place in a publication that rows refer to by `key`."""

    key: Key
    text: Text


class _Head(Table):
    """What every rule set says of itself."""

    schema_: Literal["stepdown/rules/v1"] = Field(alias="schema")
    id: Key
    title: Text
    variant: Key
    purpose: Text
    population: Text
    scope_limits: Annotated[tuple[Text, ...], NOT_EMPTY]
    notes: tuple[Text, ...] = ()
    source: Source
    citation: Annotated[tuple[Citation, ...], NOT_EMPTY]
    undetermined: Undetermined


class SumDocument(_Head):
    """A score that adds points: NEWS2, qSOFA, SIRS, MEWS, lactate."""

    kind: Literal["sum"]
    parameter: Annotated[tuple[Parameter, ...], NOT_EMPTY]
    outcome: Annotated[tuple[TotalOutcome, ...], NOT_EMPTY]
    single_parameter: SingleParameter | None = None
    overlay: tuple[Overlay, ...] = ()
    hard_trigger_total: Total | None = None


class Term(Table):
    """One term of a quotient, charted in whole numbers so that ratios compare exactly."""

    channel: Channel
    unit: Unit = ""


class Quotient(Table):
    """Numerator over denominator; both must be positive and read no more than `maximum_apart_s` apart."""

    title: Text
    numerator: Term
    denominator: Term
    maximum_apart_s: Annotated[StrictInt, Field(gt=0, le=86_400)]
    invalid_classification: Key
    cites: Cites


class QuotientDocument(_Head):
    """A score that divides one reading by another: shock index."""

    kind: Literal["quotient"]
    quotient: Quotient
    outcome: Annotated[tuple[RatioOutcome, ...], NOT_EMPTY]

    @field_validator("outcome", mode="after")
    @classmethod
    def _outcomes_cover(cls, outcomes: tuple[RatioOutcome, ...]) -> tuple[RatioOutcome, ...]:
        faults = cover_faults(tuple(outcome.interval for outcome in outcomes), resolution=None)
        if faults:
            raise ValueError("; ".join(faults))
        return outcomes


RuleSetDocument = Annotated[SumDocument | QuotientDocument, Field(discriminator="kind")]
