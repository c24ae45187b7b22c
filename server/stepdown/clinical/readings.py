"""Believed values of one channel as columns, in canonical units. Does not decide which of several values stands.

Columns, because a packed series of hours must not become an object for each of its values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from stepdown.clinical.channel import Channel
from stepdown.domain.reasons import InputIssue

SINGLE = -1
NOT_ISSUED_S = float("-inf")
"""When a reading was issued of which nobody says so: before all others."""

CORRECTED, FINAL, PRELIMINARY = range(3)
_NOTHING_TIED: Mapping[float, tuple[float, ...]] = MappingProxyType({})


class Provenance(NamedTuple):
    """Where readings came from. The lower `rank` (CORRECTED, FINAL, PRELIMINARY) is believed where readings disagree.

    `identity` (code system, code, unit, source): two readings of one time, value and identity are the same reading.
    """

    field: str
    rank: int
    issued_time_s: float
    identity: tuple[str, ...]

    def place(self, position: int) -> str:
        """The request path of one reading."""
        return self.field if position == SINGLE else f"{self.field}.values[{position}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """Takes back what was said of one time, unless that was issued later.

    Without a `value` it takes back anything but a correction, which stands in for what was wrong.
    """

    time_s: float
    value: float | None
    issued_time_s: float
    issue: InputIssue


@dataclass(slots=True, kw_only=True)
class Readings:
    """What was said about one channel, in no order. `kept_from_models` holds indices that only the rules may read.

    The columns are those of the packed series as they came, until more is said: then they become lists of its own.
    """

    channel: Channel
    times_s: Sequence[float] = ()
    values: Sequence[float] = ()
    positions: Sequence[int] = ()
    provenances: Sequence[Provenance] = ()
    kept_from_models: set[int] = field(default_factory=set)
    retractions: dict[tuple[float, float | None], Retraction] = field(default_factory=dict)

    def add(
        self, time_s: float, value: float, *, provenance: Provenance, for_models: bool, position: int = SINGLE
    ) -> None:
        """Take in one reading; `position` is its place in a packed series."""
        if not for_models:
            self.kept_from_models.add(len(self.times_s))
        times_s, values, positions, provenances = self._lists()
        times_s.append(time_s)
        values.append(value)
        positions.append(position)
        provenances.append(provenance)

    def extend(
        self, times_s: Sequence[float], values: Sequence[float], *, positions: Sequence[int], provenance: Provenance
    ) -> None:
        """Take in packed readings of one provenance."""
        together = (provenance,) * len(times_s)
        if not self.times_s:
            self.times_s, self.values, self.positions, self.provenances = times_s, values, positions, together
            return
        own_times_s, own_values, own_positions, own_provenances = self._lists()
        own_times_s.extend(times_s)
        own_values.extend(values)
        own_positions.extend(positions)
        own_provenances.extend(together)

    def _lists(self) -> tuple[list[float], list[float], list[int], list[Provenance]]:
        """The columns, to append to."""
        if not isinstance(self.provenances, list):
            self.times_s, self.values = list(self.times_s), list(self.values)
            self.positions, self.provenances = list(self.positions), list(self.provenances)
        return self.times_s, self.values, self.positions, self.provenances  # type: ignore[return-value]

    def retract(self, retraction: Retraction) -> None:
        """Take something back; of two retractions of the same, the later one counts."""
        key = (retraction.time_s, retraction.value)
        known = self.retractions.get(key)
        if known is None or known.issued_time_s < retraction.issued_time_s:
            self.retractions[key] = retraction

    def retraction_of(self, index: int) -> Retraction | None:
        """What takes the reading at `index` back, if anything does."""
        time_s, value, provenance = self.times_s[index], self.values[index], self.provenances[index]
        by_value = self.retractions.get((time_s, value))
        of_any = self.retractions.get((time_s, None)) if provenance.rank != CORRECTED else None
        for retraction in (by_value, of_any):
            if retraction is not None and provenance.issued_time_s <= retraction.issued_time_s:
                return retraction
        return None

    def place(self, index: int) -> str:
        """The request path of the reading at `index`."""
        return self.provenances[index].place(self.positions[index])

    def at(self, index: int) -> "Reading":
        """The reading at `index`."""
        return Reading(
            time_s=self.times_s[index],
            value=self.values[index],
            position=self.positions[index],
            provenance=self.provenances[index],
        )

    def picked(self, indices: Sequence[int]) -> "Readings":
        """The readings at `indices`, in that order."""
        kept = self.kept_from_models
        return Readings(
            channel=self.channel,
            times_s=[self.times_s[index] for index in indices],
            values=[self.values[index] for index in indices],
            positions=[self.positions[index] for index in indices],
            provenances=[self.provenances[index] for index in indices],
            kept_from_models={place for place, index in enumerate(indices) if index in kept} if kept else set(),
        )


class Reading(NamedTuple):
    """One reading, as it was sent, in the canonical unit."""

    time_s: float
    value: float
    position: int
    provenance: Provenance


class Timeline(NamedTuple):
    """One value for each time of a channel, oldest first, with where it came from.

    `tied`: times at which several values stand; `values` then holds their median, and the rules choose among them.
    `rules_only`: times whose value the models do not get. `further`: what else was used, for the record.
    """

    channel: Channel
    times_s: Sequence[float]
    values: Sequence[float]
    positions: Sequence[int]
    provenances: Sequence[Provenance]
    tied: Mapping[float, tuple[float, ...]] = _NOTHING_TIED
    rules_only: frozenset[float] = frozenset()
    further: tuple[Reading, ...] = ()

    def place(self, index: int) -> str:
        """The request path of the value at `index`."""
        return self.provenances[index].place(self.positions[index])

    def candidates(self, index: int) -> tuple[float, ...]:
        """Every value that stands at `index`."""
        return self.tied.get(self.times_s[index]) or (self.values[index],)

    def without(self, times_s: frozenset[float]) -> "Timeline":
        """The timeline without some of its times."""
        kept = [index for index, time_s in enumerate(self.times_s) if time_s not in times_s]
        return Timeline(
            channel=self.channel,
            times_s=[self.times_s[index] for index in kept],
            values=[self.values[index] for index in kept],
            positions=[self.positions[index] for index in kept],
            provenances=[self.provenances[index] for index in kept],
            tied=self.tied,
            rules_only=self.rules_only,
            further=tuple(further for further in self.further if further.time_s not in times_s),
        )
