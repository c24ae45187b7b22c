"""How a row of the channel table is written, and how it becomes a channel with its limits in every unit it accepts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from stepdown.clinical.channel import AcceptedUnit, Channel, CodedChannel, Freshness, Limits, Suspicion
from stepdown.clinical.conversion import IDENTITY, Conversion

Range = tuple[str, str]
Units = Mapping[str, Conversion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """In `unit`, implausible values from `low` to `high` look like `likely`; decimal digits, empty = unbounded."""

    unit: str
    low: str
    high: str
    likely: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the channel table, as a clinician reviews it: limits are decimal digits in `unit`, empty = unbounded.

    `loinc`: codes, the primary one first. `alternates`: further units and their conversion to `unit`. `code_units`:
    codes whose analyte differs, with units of their own. `other_assay_*`: used, but flagged as not interchangeable.
    """

    name: str
    title: str
    unit: str
    hard: Range
    soft: Range = ("", "")
    loinc: tuple[str, ...] = ()
    alternates: Units = field(default_factory=dict)
    code_units: Mapping[str, Units] = field(default_factory=dict)
    suspects: tuple[Suspect, ...] = ()
    freshness: Freshness = Freshness.LABORATORY
    resolution: str = ""
    integral: bool = False
    numeric: bool = True
    core: bool = False
    rules_read_suspect: bool = False
    answers: Mapping[str, float] = field(default_factory=dict)
    other_assay_units: frozenset[str] = frozenset()
    other_assay_codes: frozenset[str] = frozenset()


def _limits(ends: Range, conversion: Conversion = IDENTITY) -> Limits:
    """The range in the unit that `conversion` starts from; a falling conversion swaps its ends."""
    known = [float(conversion.inverse(Decimal(end))) if end else None for end in ends]
    low, high = known
    if low is not None and high is not None:
        return Limits(low=min(low, high), high=max(low, high))
    return Limits(low=float("-inf") if low is None else low, high=float("inf") if high is None else high)


def _accepted(row: Row, unit: str, conversion: Conversion) -> AcceptedUnit:
    suspicions = tuple(
        Suspicion(limits=_limits((suspect.low, suspect.high)), likely_unit=suspect.likely)
        for suspect in row.suspects
        if suspect.unit == unit
    )
    hard, soft = _limits(row.hard, conversion), _limits(row.soft, conversion)
    return AcceptedUnit(
        unit=unit,
        conversion=conversion,
        hard=hard,
        soft=soft,
        plain=Limits(low=max(hard.low, soft.low), high=min(hard.high, soft.high)),
        suspicions=suspicions,
        interchangeable=unit not in row.other_assay_units,
    )


def channel_of(row: Row) -> Channel:
    """The channel that a row describes."""
    return Channel(
        name=row.name,
        title=row.title,
        unit=row.unit,
        hard=_limits(row.hard),
        soft=_limits(row.soft),
        freshness=row.freshness,
        units={unit: _accepted(row, unit, way) for unit, way in {row.unit: IDENTITY, **row.alternates}.items()},
        resolution=Decimal(row.resolution) if row.resolution else None,
        integral=row.integral,
        numeric=row.numeric,
        core=row.core,
        rules_read_suspect=row.rules_read_suspect,
        answers=row.answers,
    )


def codes_of(row: Row, channel: Channel) -> tuple[CodedChannel, ...]:
    """Every LOINC code of a row, with the units that it may carry."""
    return tuple(
        CodedChannel(
            channel=channel,
            code=code,
            units=(
                {unit: _accepted(row, unit, way) for unit, way in row.code_units[code].items()}
                if code in row.code_units
                else channel.units
            ),
            interchangeable=code not in row.other_assay_codes,
        )
        for code in row.loinc
    )
