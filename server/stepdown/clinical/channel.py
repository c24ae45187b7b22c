"""What a channel is: one quantity with its units, limits, charting resolution and freshness. Holds no row of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from stepdown.clinical.conversion import IDENTITY, Conversion


class Freshness(StrEnum):
    """How long a value stands for the patient in the clinical rules; the limits are the policy's."""

    VITAL = "vital"
    LACTATE = "lactate"
    LABORATORY = "laboratory"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A closed range; an end left out is unbounded."""

    low: float = float("-inf")
    high: float = float("inf")

    def hold(self, value: float) -> bool:
        """Whether `value` lies inside, ends included."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Values that, past the plausible range, look like another unit sent under this one; limits in the unit as sent."""

    limits: Limits
    likely_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedUnit:
    """One UCUM unit of a channel, with the channel's limits expressed in it so that values are judged as sent.

    `plain`: what is both possible and usual. `interchangeable` is False where the unit tells of another assay
    (high-sensitivity troponin).
    """

    unit: str
    conversion: Conversion = IDENTITY
    hard: Limits
    soft: Limits
    plain: Limits
    suspicions: tuple[Suspicion, ...] = ()
    interchangeable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One quantity that the rules or the grid read.

    `unit`: the canonical UCUM unit of `hard`, `soft` and everything downstream. `resolution`: what the rules round to,
    half up; None = as given. `answers`: coded answers and the number each stands for; a channel with answers takes a
    number only if `numeric`. `core`: one of the vital signs without which the answering score is incomplete.
    `rules_read_suspect`: a value that looks like another unit is kept from the models and still counts for the rules,
    because it may be a true emergency.
    """

    name: str
    title: str
    unit: str
    hard: Limits
    soft: Limits
    freshness: Freshness
    units: Mapping[str, AcceptedUnit]
    resolution: Decimal | None = None
    integral: bool = False
    numeric: bool = True
    core: bool = False
    rules_read_suspect: bool = False
    answers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedChannel:
    """A code that names a channel, the units this very code may carry, and the one that stands when none is sent."""

    channel: Channel
    code: str
    units: Mapping[str, AcceptedUnit]
    default_unit: str = ""
    interchangeable: bool = True
