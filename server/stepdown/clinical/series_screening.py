"""Screens packed series: one code and unit for all, times and limits for the whole run; one by one only what is odd."""

from collections.abc import Sequence
from dataclasses import dataclass

from stepdown.clinical.channel import AcceptedUnit, CodedChannel, Freshness
from stepdown.clinical.chart import Chart
from stepdown.clinical.conversion import IDENTITY
from stepdown.clinical.measurement import Refusal, not_coded, quantity
from stepdown.clinical.readings import FINAL, Provenance, Readings
from stepdown.clinical.remarks import FUTURE, PAST, remark_on_assay, remark_on_doubt, remark_on_rarity, remark_on_time
from stepdown.clinical.units import accepted_unit, unit_hint, unit_issue
from stepdown.domain.observations import ObservationSeries

_BEFORE_ALL = float("-inf")


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
    timely = screen.timely()
    if timely:
        screen.judge(timely)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeriesScreen:
    """One series whose code and unit are known."""

    series: ObservationSeries
    coded: CodedChannel
    accepted: AcceptedUnit
    chart: Chart

    def timely(self) -> Sequence[int]:
        """The positions whose times count; the others are dropped, those a little ahead of time flagged."""
        times_s, window = self.series.times_s, self.chart.window
        if window.holds(min(times_s), max(times_s)):
            return range(len(times_s))
        static = self.coded.channel.freshness is Freshness.STATIC
        future = [position for position, time_s in enumerate(times_s) if window.is_after(time_s)]
        past = [position for position, time_s in enumerate(times_s) if window.is_before(time_s) and not static]
        self._drop(FUTURE, future)
        self._drop(PAST, past)
        dropped = {*future, *past}
        kept = [position for position in range(len(times_s)) if position not in dropped]
        ahead = [position for position in kept if window.age_s(times_s[position]) < 0]
        if ahead:
            remark_on_time(self.coded.channel, self.chart.findings, field=self._place(ahead[0]), count=len(ahead))
        return kept

    def judge(self, positions: Sequence[int]) -> None:
        """Take plausible values in bulk, and look at each of the others."""
        series, channel, findings = self.series, self.coded.channel, self.chart.findings
        plausible, odd = self._parted(positions)
        provenance = Provenance(
            field=series.field,
            rank=FINAL,
            issued_time_s=_BEFORE_ALL,
            identity=(series.code_system, series.code, series.unit, series.source),
        )
        readings = self.chart.readings_of(channel)
        times_s, values = _picked(series.times_s, plausible), self._converted(_picked(series.values, plausible))
        readings.extend(times_s, values, positions=plausible, provenance=provenance)
        refused = self._odd_ones(odd, readings, provenance)
        used = len(positions) - refused
        if used and not (self.accepted.interchangeable and self.coded.interchangeable):
            remark_on_assay(channel, findings, field=series.field, count=used)

    def _odd_ones(self, positions: Sequence[int], readings: Readings, provenance: Provenance) -> int:
        """Judge values one by one and say so once for all that are alike; returns how many were refused."""
        channel, findings = self.coded.channel, self.chart.findings
        refused: dict[Refusal, list[int]] = {}
        doubted: dict[Refusal, list[int]] = {}
        rare: list[int] = []
        for position in positions:
            measured = quantity(self.series.values[position], self.accepted, self.coded)
            if isinstance(measured, Refusal):
                refused.setdefault(measured, []).append(position)
                continue
            (rare if measured.doubt is None else doubted.setdefault(measured.doubt, [])).append(position)
            readings.add(
                self.series.times_s[position],
                measured.value,
                position=position,
                provenance=provenance,
                for_models=measured.doubt is None,
            )
        for refusal, at in refused.items():
            self._drop(refusal, at)
        for doubt, at in doubted.items():
            remark_on_doubt(doubt, channel, findings, field=self._place(at[0]), count=len(at))
        if rare:
            remark_on_rarity(channel, findings, field=self._place(rare[0]), count=len(rare))
        return sum(map(len, refused.values()))

    def _parted(self, positions: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """Positions of plausible values, and of the others."""
        hard, soft, values = self.accepted.hard, self.accepted.soft, self.series.values
        low, high = max(hard.low, soft.low), min(hard.high, soft.high)
        if not self.coded.channel.integral and low <= min(values) and max(values) <= high:
            return positions, ()
        whole = self.coded.channel.integral
        plausible = [
            position
            for position in positions
            if low <= values[position] <= high and not (whole and values[position] % 1)
        ]
        among = frozenset(plausible)
        return plausible, [position for position in positions if position not in among]

    def _converted(self, values: Sequence[float]) -> Sequence[float]:
        conversion = self.accepted.conversion
        converted = values if conversion is IDENTITY else conversion.packed(values)
        # Minus zero becomes zero, so that equal readings are equal in every byte.
        return [value + 0.0 for value in converted] if 0.0 in converted else converted

    def _drop(self, refusal: Refusal, positions: Sequence[int]) -> None:
        if positions:
            self.chart.findings.drop(
                refusal.issue,
                field=self._place(positions[0]),
                channel=self.coded.channel.name,
                hint=refusal.hint,
                count=len(positions),
            )

    def _place(self, position: int) -> str:
        return f"{self.series.field}.values[{position}]"


def _picked(column: Sequence[float], positions: Sequence[int]) -> Sequence[float]:
    """The column at `positions`; the column itself where that is all of it."""
    return column if len(positions) == len(column) else [column[position] for position in positions]
