"""Screens packed series: one code and unit for all, limits and times for the whole run; one by one only what is odd."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

from stepdown.clinical.channel import AcceptedUnit, CodedChannel, Freshness
from stepdown.clinical.chart import Chart
from stepdown.clinical.conversion import IDENTITY
from stepdown.clinical.measurement import Measured, Refusal, not_coded, quantity
from stepdown.clinical.readings import FINAL, NOT_ISSUED_S, Provenance, Readings
from stepdown.clinical.remarks import (
    FUTURE,
    PAST,
    remark_on_assay,
    remark_on_doubt,
    remark_on_rarity,
    remark_on_time,
)
from stepdown.clinical.units import accepted_unit, unit_hint, unit_issue
from stepdown.domain.observations import ObservationSeries

_NONE_ODD: Mapping[int, Measured] = MappingProxyType({})
_NONE_REFUSED: AbstractSet[int] = frozenset()


def screen_series(series: ObservationSeries, chart: Chart) -> None:
    """Put a packed series on the chart, and drop what cannot be used of it."""
    count = len(series.values)
    if not count:
        return
    coded = chart.coded_channel(series.code_system, series.code, field=series.field, count=count)
    if coded is None:
        return
    accepted = accepted_unit(coded, series.unit)
    if accepted is None or not coded.channel.numeric:
        refusal = Refusal(issue=unit_issue(series.unit), hint=unit_hint(coded))
        refusal = refusal if coded.channel.numeric else not_coded(coded)
        hint, channel = refusal.hint, coded.channel.name
        chart.findings.drop(refusal.issue, field=series.field, channel=channel, hint=hint, count=count)
        return
    screen = _SeriesScreen(series=series, coded=coded, accepted=accepted, chart=chart)
    odd, refused = screen.odd_ones()
    screen.take(screen.timely(refused), odd)


class _SeriesScreen(NamedTuple):
    """One series whose code and unit are known. Values are named by their positions."""

    series: ObservationSeries
    coded: CodedChannel
    accepted: AcceptedUnit
    chart: Chart

    def odd_ones(self) -> tuple[Mapping[int, Measured], AbstractSet[int]]:
        """What the extremes do not show to be plain, judged one by one; and which of them are refused and dropped."""
        not_plain = self._not_plain()
        if not not_plain:
            return _NONE_ODD, _NONE_REFUSED
        odd: dict[int, Measured] = {}
        refused: dict[Refusal, list[int]] = {}
        for position in not_plain:
            measured = quantity(self.series.values[position], self.accepted, self.coded)
            if isinstance(measured, Refusal):
                refused.setdefault(measured, []).append(position)
            else:
                odd[position] = measured
        for refusal, positions in refused.items():
            self._drop(refusal, positions)
        return odd, {position for positions in refused.values() for position in positions}

    def timely(self, refused: AbstractSet[int]) -> Sequence[int]:
        """Of what is not refused, that whose time counts; the rest is dropped, what is a little ahead is flagged."""
        times_s, window = self.series.times_s, self.chart.window
        judged: Sequence[int] = range(len(times_s))
        if refused:
            judged = [position for position in judged if position not in refused]
        if self.chart.timings.of(times_s).in_window:
            return judged
        static = self.coded.channel.freshness is Freshness.STATIC
        future = [position for position in judged if window.is_after(times_s[position])]
        past = [position for position in judged if window.is_before(times_s[position]) and not static]
        self._drop(FUTURE, future)
        self._drop(PAST, past)
        dropped = {*future, *past}
        kept = [position for position in judged if position not in dropped]
        ahead = [position for position in kept if window.age_s(times_s[position]) < 0]
        if ahead:
            remark_on_time(self.coded.channel, self.chart.findings, field=self._place(ahead[0]), count=len(ahead))
        return kept

    def take(self, positions: Sequence[int], odd: Mapping[int, Measured]) -> None:
        """Put the values at `positions` on the chart: plain ones in bulk, odd ones with a remark."""
        if not positions:
            return
        field, code_system, code, unit, times_s, values, source = self.series
        provenance = Provenance(field, FINAL, NOT_ISSUED_S, (code_system, code, unit, source))
        readings = self.chart.readings_of(self.coded.channel)
        plain = positions
        if odd:
            plain = [position for position in positions if position not in odd]
        if len(plain) < len(values):
            times_s = tuple([times_s[position] for position in plain])
            values = tuple([values[position] for position in plain])
        readings.extend(times_s, self._converted(values), positions=plain, provenance=provenance)
        if odd:
            self._take_odd(positions, odd, readings, provenance)
        if not (self.accepted.interchangeable and self.coded.interchangeable):
            channel, findings = self.coded.channel, self.chart.findings
            remark_on_assay(channel, findings, field=self._place(positions[0]), count=len(positions))

    def _take_odd(
        self, positions: Sequence[int], odd: Mapping[int, Measured], readings: Readings, provenance: Provenance
    ) -> None:
        for position in positions:
            measured = odd.get(position)
            if measured is not None:
                readings.add(
                    self.series.times_s[position],
                    measured.value,
                    position=position,
                    provenance=provenance,
                    for_models=measured.doubt is None,
                )
        self._remark(positions, odd)

    def _remark(self, positions: Sequence[int], odd: Mapping[int, Measured]) -> None:
        """Say once for all values that are alike what a reader should know of them."""
        channel, findings = self.coded.channel, self.chart.findings
        doubted: dict[Refusal, list[int]] = {}
        rare: list[int] = []
        for position in positions:
            measured = odd.get(position)
            if measured is not None and measured.doubt is not None:
                doubted.setdefault(measured.doubt, []).append(position)
            elif measured is not None:
                rare.append(position)
        for doubt, at in doubted.items():
            remark_on_doubt(doubt, channel, findings, field=self._place(at[0]), count=len(at))
        if rare:
            remark_on_rarity(channel, findings, field=self._place(rare[0]), count=len(rare))

    def _not_plain(self) -> Sequence[int]:
        """Positions that the extremes alone do not show to be plausible."""
        plain, values, whole = self.accepted.plain, self.series.values, self.coded.channel.integral
        low, high = plain.low, plain.high
        if not whole and low <= min(values) and max(values) <= high:
            return ()
        return [
            position for position, value in enumerate(values) if not low <= value <= high or (whole and value % 1 != 0)
        ]

    def _converted(self, values: Sequence[float]) -> Sequence[float]:
        conversion = self.accepted.conversion
        converted = values if conversion is IDENTITY else conversion.packed(values)
        # Minus zero becomes zero, so that equal readings are equal in every byte.
        return [value + 0.0 for value in converted] if 0.0 in converted else converted

    def _drop(self, refusal: Refusal, positions: Sequence[int]) -> None:
        if positions:
            field, channel = self._place(positions[0]), self.coded.channel.name
            hint, count = refusal.hint, len(positions)
            self.chart.findings.drop(refusal.issue, field=field, channel=channel, hint=hint, count=count)

    def _place(self, position: int) -> str:
        return f"{self.series.field}.values[{position}]"
