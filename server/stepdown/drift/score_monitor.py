"""Watches what one tier says: its scores, its bands, and how often it alerts. A tier is compared with itself alone."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stepdown.domain.drift import DriftReading, DriftSignal, DriftState
from stepdown.drift.alert_rate import AlertRate, AlertRatePolicy
from stepdown.drift.comparison import Yardstick, compare_shapes
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.reference import MAXIMUM_BINS, DriftReference, Histogram
from stepdown.drift.signals import lay_out
from stepdown.drift.window import Block, Window, count_codes

_TESTS = 4
_SIDES = 2


class ScoreMonitor:
    """Not thread-safe. Bands are ordinals in the order of the reference's own; from `alert_from` on they alert."""

    def __init__(self, reference: DriftReference, policy: DriftPolicy, *, alert_from: str) -> None:
        """Compare with what this tier's own bundle says it said before it was released."""
        self._bands = tuple(reference.bands)
        self._policy = policy
        band_counts = tuple(reference.bands.values())
        bands = Histogram(edges=tuple(position + 0.5 for position in range(len(band_counts) - 1)), counts=band_counts)
        self._layout = lay_out({"score": reference.score, "band": bands})
        self._yardstick = Yardstick(
            policy=policy, alarm_nats=policy.alarm_nats(_TESTS), reference_size=float(reference.encounters)
        )
        self._window = Window(rows=policy.window_rows, duration_s=policy.window_s)
        self._alert_from = self._bands.index(alert_from)
        self._alerts = self._alert_rate(reference.bands)

    def _alert_rate(self, bands: Mapping[str, int]) -> AlertRate | None:
        total, alerts = sum(bands.values()), sum(tuple(bands.values())[self._alert_from :])
        if not 0 < alerts < total:
            return None
        between = _SIDES * self._policy.assessments_per_30_days
        return AlertRate(alerts / total, AlertRatePolicy(answers_between_alarms=between))

    def observe(
        self,
        scores: NDArray[np.floating],
        bands: NDArray[np.floating],
        encounters: NDArray[np.int64],
        *,
        now_s: float,
    ) -> None:
        """Count a block of answers: scores [rows] (probabilities), ordinals of their bands [rows]; NaN = none."""
        figures = np.stack([scores, bands], axis=1).astype(np.float64)
        counts = count_codes(self._layout.code(figures), np.isfinite(figures), bins=MAXIMUM_BINS)
        self._window.add(Block(counts=counts, encounters=encounters, end_s=now_s))
        if self._alerts is not None:
            alerts, answers = int((bands >= self._alert_from).sum()), int(np.isfinite(bands).sum())
            self._alerts.count(alerts=alerts, answers=answers, worth=self._window.worth())

    @property
    def rows(self) -> int:
        """How many answers the window holds."""
        return self._window.rows

    def readings(self) -> tuple[DriftReading, ...]:
        """Score, band and alert rate now."""
        counts = self._window.counts() if self.rows else np.zeros((2, MAXIMUM_BINS), dtype=np.int64)
        score, band = compare_shapes(
            self._layout, counts, signal=DriftSignal.SCORE, worth=self._window.worth(), yardstick=self._yardstick
        ).readings()
        return (score, replace(band, signal=DriftSignal.BAND), *self._alert_reading())

    def _alert_reading(self) -> tuple[DriftReading, ...]:
        alerts = self._alerts
        if alerts is None:
            return ()
        size = self.rows * self._window.worth()
        enough = size >= self._policy.least_size
        moved = DriftState.DRIFTING if alerts.moved else DriftState.STEADY
        rate = alerts.alerts / max(alerts.answers, 1)
        return (
            DriftReading(
                channel="alert_rate",
                signal=DriftSignal.ALERT_RATE,
                state=moved if enough else DriftState.INSUFFICIENT,
                size=size,
                psi=0.0,
                jensen_shannon=0.0,
                kolmogorov_smirnov=abs(rate - alerts.expected),
                shift=rate - alerts.expected,
                nats=alerts.share_of_limit,
                alarm_nats=1.0,
            ),
        )

    def acknowledge(self) -> None:
        """Somebody has taken note: begin again."""
        self._window.clear()
        if self._alerts is not None:
            self._alerts.reset()
