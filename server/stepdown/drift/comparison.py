"""One window against one reference, all signals at once. Pure arithmetic on counts; remembers nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepdown.domain.drift import DriftReading, DriftSignal, DriftState
from stepdown.drift.divergence import jensen_shannon, kolmogorov_smirnov, psi
from stepdown.drift.evidence import bin_nats, rate_nats, shape_nats, trend_nats
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.signals import Layout

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What every comparison of one monitor shares: policy, threshold, and how many stays the reference knows."""

    policy: DriftPolicy
    alarm_nats: float
    reference_size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One kind of signal of every channel: arrays [channels]. `drifts`: too surprising, and large enough to matter."""

    signal: DriftSignal
    names: tuple[str, ...]
    counts: Counts
    reference: Counts
    size: Floats
    psi: Floats
    shift: Floats
    nats: Floats
    drifts: NDArray[np.bool_]
    yardstick: Yardstick

    def drifting(self) -> tuple[str, ...]:
        """Return the channels that drift."""
        return tuple(self.names[row] for row in np.flatnonzero(self.drifts))

    def readings(self) -> tuple[DriftReading, ...]:
        """Everything known of each channel."""
        known = self.reference > 0
        js = jensen_shannon(self.counts, self.reference, known)
        ks = kolmogorov_smirnov(self.counts, self.reference, known)
        return tuple(
            DriftReading(
                channel=name,
                signal=self.signal,
                state=self._state(row),
                size=float(self.size[row]),
                psi=float(self.psi[row]),
                jensen_shannon=float(js[row]),
                kolmogorov_smirnov=float(ks[row]),
                shift=float(self.shift[row]),
                nats=float(self.nats[row]),
                alarm_nats=self.yardstick.alarm_nats,
            )
            for row, name in enumerate(self.names)
        )

    def _state(self, row: int) -> DriftState:
        if self.size[row] < self.yardstick.policy.least_size:
            return DriftState.INSUFFICIENT
        return DriftState.DRIFTING if self.drifts[row] else DriftState.STEADY


def compare_shapes(
    layout: Layout, counts: Counts, *, signal: DriftSignal, worth: float, yardstick: Yardstick
) -> Comparison:
    """Distributions: any change of shape, or a move up or down. `counts` [signals, bins]."""
    policy, reference_size = yardstick.policy, yardstick.reference_size
    seen = counts.sum(axis=1)
    size = seen * worth
    shares = counts / np.maximum(seen, 1)[:, None]
    shift = (shares * layout.scores).sum(axis=1)
    shape = bin_nats(shares, layout.expected, size=size, reference_size=reference_size)
    tail = shape_nats(shares, layout.expected, size=size, reference_size=reference_size, degrees=layout.degrees)
    shape = np.where(size >= policy.least_size_for_shape, np.maximum(shape, tail), shape)
    trend = trend_nats(shift, size=size, reference_size=reference_size)
    distance = psi(counts, layout.counts, layout.expected > 0)
    noise = layout.degrees * (1 / np.maximum(size, 1) + 1 / reference_size)
    tolerance = policy.age_tolerance if signal is DriftSignal.AGE else 1.0
    by_shape = (shape >= yardstick.alarm_nats) & (distance - noise >= tolerance * policy.least_psi)
    by_trend = (trend >= yardstick.alarm_nats) & (np.abs(shift) >= tolerance * policy.least_shift)
    return Comparison(
        signal=signal,
        names=layout.names,
        counts=counts,
        reference=layout.counts,
        size=size,
        psi=distance,
        shift=shift,
        nats=np.maximum(shape, trend),
        drifts=(by_shape | by_trend) & (size >= policy.least_size),
        yardstick=yardstick,
    )


def compare_rates(
    names: tuple[str, ...],
    events: Counts,
    reference: Counts,
    *,
    signal: DriftSignal,
    worth: float,
    yardstick: Yardstick,
) -> Comparison:
    """Rates, as [signals, 2] counts: without the event, and with it."""
    seen, referred = events.sum(axis=1), reference.sum(axis=1)
    rate, normal = events[:, 1] / np.maximum(seen, 1), reference[:, 1] / np.maximum(referred, 1)
    size = seen * worth
    nats = rate_nats(rate, normal, size=size, reference_size=yardstick.reference_size)
    matters = np.abs(rate - normal) >= yardstick.policy.least_rate_change
    return Comparison(
        signal=signal,
        names=names,
        counts=events,
        reference=reference,
        size=size,
        psi=psi(events, reference),
        shift=rate - normal,
        nats=nats,
        drifts=(nats >= yardstick.alarm_nats) & matters & (size >= yardstick.policy.least_size),
        yardstick=yardstick,
    )
