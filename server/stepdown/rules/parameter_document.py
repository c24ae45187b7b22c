"""What a `rules.toml` says of one parameter: its readings, their tables of points, what counts when it is missing."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from stepdown.domain.intake import CONSCIOUSNESS_LETTERS
from stepdown.rules.interval import cover_faults
from stepdown.rules.schema import NOT_EMPTY, Channel, Cites, Number, Points, RangedTable, Table, Text, Unit


class BandRow(RangedTable):
    """Values that earn the same points. `label` names the row where another parameter depends on it."""

    points: Points
    label: Text | None = None


class PointTable(Table):
    """How one reading earns points: `bands` for a quantity, `codes` for a coded answer.

    `spo2_scale` and `given` (a band label of the parameter it depends on) restrict when the table applies. `unscored`
    gives, for each code that the publication does not know, the reason why it cannot be scored.
    """

    spo2_scale: Literal[1, 2] | None = None
    given: Text | None = None
    bands: tuple[BandRow, ...] = ()
    codes: dict[str, Points] = Field(default_factory=dict)
    unscored: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_code_is_accounted_for(self) -> Self:
        if bool(self.bands) == bool(self.codes):
            raise ValueError("needs either bands or codes")
        named = [*self.codes, *self.unscored]
        if self.codes and sorted(named) != sorted(CONSCIOUSNESS_LETTERS):
            raise ValueError(f"codes and unscored must together name each of {' '.join(CONSCIOUSNESS_LETTERS)} once")
        if self.bands and self.unscored:
            raise ValueError("only a table of codes has unscored codes")
        return self

    @property
    def attainable(self) -> frozenset[int]:
        """Every number of points that some value earns."""
        return frozenset(self.codes.values()) | {row.points for row in self.bands}


class Reading(Table):
    """One channel that can answer for a parameter.

    `resolution` is the step in which the quantity is charted; without it the quantity is continuous. `depends_on` names
    the channel whose band decides which table applies.
    """

    channel: Channel
    unit: Unit = ""
    resolution: Annotated[Number, Field(gt=0)] | None = None
    depends_on: Channel | None = None
    table: Annotated[tuple[PointTable, ...], NOT_EMPTY]

    @field_validator("table", mode="after")
    @classmethod
    def _bands_cover(cls, tables: tuple[PointTable, ...], info: ValidationInfo) -> tuple[PointTable, ...]:
        if "resolution" not in info.data:  # it is at fault itself, so that no cover can be judged
            return tables
        resolution = info.data["resolution"]
        faults = [
            f"table.{index}: {fault}"
            for index, table in enumerate(tables)
            if table.bands
            for fault in cover_faults(tuple(row.interval for row in table.bands), resolution=resolution)
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return tables


class MissingBounds(Table):
    """The least and the most points that a missing parameter could have earned."""

    minimum: Points
    maximum: Points


class Parameter(Table):
    """One row of a score. With several readings, `combine` says whose points count."""

    title: Text
    cites: Cites
    missing: MissingBounds
    combine: Literal["first-present", "highest"] | None = None
    reading: Annotated[tuple[Reading, ...], NOT_EMPTY]

    @model_validator(mode="after")
    def _readings_can_be_combined(self) -> Self:
        if (self.combine is None) != (len(self.reading) == 1):
            raise ValueError("combine is needed with several readings and has no meaning with one")
        if self.combine is not None and any(reading.depends_on for reading in self.reading):
            raise ValueError("a reading that depends on another channel must stand alone")
        return self

    @model_validator(mode="after")
    def _missing_counts_all_that_is_attainable(self) -> Self:
        bounds = (self.missing.minimum, self.missing.maximum)
        for reading in self.reading:
            for table in reading.table:
                attained = (min(table.attainable), max(table.attainable))
                if attained != bounds:
                    raise ValueError(
                        f"missing counts {bounds[0]}..{bounds[1]}, but {reading.channel} can earn "
                        f"{attained[0]}..{attained[1]}"
                    )
        return self
