"""One row of a score, compiled: which reading answers, the points it earns, and what a missing one could have earned.

Refuses to guess: a reading that is missing, stale, not a finite number, or a code that the publication does not know
earns no points and leaves every attainable number of points open. It counts as missing, whatever the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.domain.intake import InputStatus, RuleInput
from stepdown.domain.scores import ParameterScore
from stepdown.rules.points import Banding, PointScale

ABSENT = RuleInput(value=None, status=InputStatus.MISSING)
"""What a channel reads as when the inputs do not name it."""

Parameters = Mapping[str, RuleInput]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledReading:
    """One channel and its tables: `tables[SpO2 scale - 1][state]`.

    A state is the index of the band that the selecting channel is in; a reading that does not depend on it holds the
    same table for each.
    """

    channel: str
    unit: str
    tables: tuple[tuple[PointScale, ...], ...]
    unscored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The channel whose band is the state that selects the tables of others: supplemental oxygen, for saturation."""

    channel: str
    banding: Banding

    def states(self, parameters: Parameters) -> tuple[int, ...]:
        """The states that the inputs allow: one where the reading is usable, else all."""
        given = parameters.get(self.channel, ABSENT)
        state = self.banding.segment(given.value) if given.status is InputStatus.PRESENT else None
        return tuple(range(len(self.banding.points))) if state is None else (state,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One parameter. With `highest` the most points of any reading count, else those of the first that earns any.

    `absent` is the score of a row that nothing is known of.
    `dependent`: its table changes with the state. `selector`: set where the row itself is what tells the state.
    """

    readings: tuple[CompiledReading, ...]
    highest: bool
    absent: ParameterScore
    dependent: bool = False
    selector: Selector | None = None

    def mark(self, parameters: Parameters, scale: int, state: int) -> ParameterScore:
        """Score the row on SpO2 scale `scale + 1`, the selecting channel being in `state`."""
        best: RuleInput | None = None
        best_reading, best_points = self.readings[0], -1
        for reading in self.readings:
            given = parameters.get(reading.channel, ABSENT)
            if given.status is InputStatus.PRESENT:
                points = reading.tables[scale][state].earned(given.value)
                if points is not None and points > best_points:
                    best, best_reading, best_points = given, reading, points
                    if not self.highest:
                        break
        if best is None:
            return self._open(parameters)
        return ParameterScore(
            parameter=best_reading.channel,
            value=best.value,
            unit=best_reading.unit,
            status=InputStatus.PRESENT,
            points=best_points,
            minimum_points=best_points,
            maximum_points=best_points,
            observed_time_s=best.observed_time_s,
        )

    def mark_over(self, parameters: Parameters, scale: int, states: tuple[int, ...]) -> ParameterScore:
        """Score the row where the selecting channel may be in any of `states`: known only if all of them agree."""
        score = self.mark(parameters, scale, states[0])
        if not self.dependent:
            return score
        attainable = [points for state in states for points in self.possible(score, parameters, scale, state)]
        minimum, maximum = min(attainable), max(attainable)
        if minimum == maximum:
            return score
        return score._replace(points=None, minimum_points=minimum, maximum_points=maximum)

    def possible(self, score: ParameterScore, parameters: Parameters, scale: int, state: int) -> tuple[int, ...]:
        """All the points that the row, marked as `score`, can earn while the selecting channel is in `state`."""
        if self.selector is not None:
            return (self.selector.banding.points[state],)
        points = self._in_state(parameters, scale, state) if self.dependent else score.points
        if points is not None:
            return (points,)
        # Every reading spans the same bounds (the schema sees to it), so the first one's table speaks for all.
        return self.readings[0].tables[scale][state].attainable

    def _in_state(self, parameters: Parameters, scale: int, state: int) -> int | None:
        """The points of a dependent row, which by the schema has one reading."""
        reading = self.readings[0]
        given = parameters.get(reading.channel, ABSENT)
        return reading.tables[scale][state].earned(given.value) if given.status is InputStatus.PRESENT else None

    def _open(self, parameters: Parameters) -> ParameterScore:
        """The row without points; where none of its readings was ever taken, the one made at compilation."""
        given = [parameters.get(reading.channel, ABSENT) for reading in self.readings]
        if all(one.status is InputStatus.MISSING for one in given):
            return self.absent
        first = given[0]
        stale = any(one.status is InputStatus.STALE for one in given)
        unscored = first.status is InputStatus.PRESENT and first.value in self.readings[0].unscored
        return self.absent._replace(
            value=first.value if unscored else None,
            status=InputStatus.STALE if stale else InputStatus.MISSING,
            observed_time_s=first.observed_time_s,
        )


def absent_score(reading: CompiledReading, *, minimum: int, maximum: int) -> ParameterScore:
    """How a row that nothing is known of is reported, under the name of its first reading."""
    return ParameterScore(
        parameter=reading.channel,
        value=None,
        unit=reading.unit,
        status=InputStatus.MISSING,
        points=None,
        minimum_points=minimum,
        maximum_points=maximum,
        observed_time_s=None,
    )
