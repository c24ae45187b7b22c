"""The grammar of a `rules.toml`: exact numbers, one-line texts, keys, and tables in which an unknown key is a fault."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    model_validator,
)

from stepdown.rules.interval import Interval

LARGEST_NUMBER = 1_000_000
FINEST_EXPONENT = -6  # decimal places; with LARGEST_NUMBER this keeps neighbouring edges distinct as doubles


def _exact(value: object) -> Decimal:
    """TOML integers and floats (parsed as decimals) only: a binary float would have lost what the chart says."""
    number = Decimal(value) if type(value) is int else value
    if not isinstance(number, Decimal) or not number.is_finite() or not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise ValueError(f"must be a number within ±{LARGEST_NUMBER}")
    if int(number.as_tuple().exponent) < FINEST_EXPONENT:
        raise ValueError(f"must have at most {-FINEST_EXPONENT} decimals")
    return number


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable text")
    return value


def _not_empty(rows: tuple[object, ...]) -> tuple[object, ...]:
    if not rows:
        raise ValueError("must not be empty")
    return rows


NOT_EMPTY = AfterValidator(_not_empty)
"""Marks a row of tables that needs one; judged only where every one of them is sound by itself."""

Number = Annotated[Decimal, BeforeValidator(_exact)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000), AfterValidator(_one_line)]
Unit = Annotated[str, StringConstraints(strict=True, max_length=32), AfterValidator(_one_line)]
Key = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Channel = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z][A-Za-z0-9_]*$", max_length=32)]
Points = Annotated[StrictInt, Field(ge=0, le=10)]
Total = Annotated[StrictInt, Field(ge=0, le=100)]
Cites = Annotated[tuple[Key, ...], NOT_EMPTY]
BandName = Literal["LOW", "LOW_MEDIUM", "MEDIUM", "HIGH"]


class Table(BaseModel):
    """A TOML table: unknown keys are faults, and nothing can be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RangedTable(Table):
    """A table that bounds a quantity from one side, both or neither."""

    at_least: Number | None = None
    above: Number | None = None
    at_most: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _one_end_each_way(self) -> Self:
        if None not in (self.at_least, self.above) or None not in (self.at_most, self.below):
            raise ValueError("names two lower or two upper ends")
        return self

    @property
    def interval(self) -> Interval:
        """The numbers it covers."""
        return Interval(at_least=self.at_least, above=self.above, at_most=self.at_most, below=self.below)


class Verdict(Table):
    """What a result means: the ordinal band, the rule's own word, and the published response."""

    band: BandName
    classification: Key
    response: Text
    cites: Cites
