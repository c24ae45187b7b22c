"""Watches what a pathway is given: newest value, its age, and whether there is one at all, for every channel."""

import numpy as np
from numpy.typing import NDArray

from stepdown.domain.drift import DriftSignal
from stepdown.drift.comparison import Comparison, Yardstick, compare_rates, compare_shapes
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.reference import MAXIMUM_BINS, DriftReference
from stepdown.drift.signals import ages_of, values_of
from stepdown.drift.window import Block, Window, count_codes

_TESTS_PER_CHANNEL = 5  # shape and trend of the value, shape and trend of its age, rate of missing ones


class InputMonitor:
    """Not thread-safe. `observe` is called with blocks of assessments; `comparisons` whenever somebody looks."""

    def __init__(self, reference: DriftReference, policy: DriftPolicy) -> None:
        """Compare with the reference of the tier that reads every channel."""
        self.channels = tuple(reference.channels)
        self._values = values_of(reference)
        self._ages = ages_of(reference)
        missing = [(channel.value.total, channel.missing) for channel in reference.channels.values()]
        self._missing = np.array(missing, dtype=np.int64)
        tests = _TESTS_PER_CHANNEL * len(self.channels)
        self._yardstick = Yardstick(
            policy=policy, alarm_nats=policy.alarm_nats(tests), reference_size=float(reference.encounters)
        )
        self._window = Window(rows=policy.window_rows, duration_s=policy.window_s)

    def observe(
        self,
        values: NDArray[np.floating],
        ages_h: NDArray[np.floating],
        encounters: NDArray[np.int64],
        *,
        now_s: float,
    ) -> None:
        """Count a block: newest values and their ages in hours [rows, channels], NaN = none; `encounters` [rows]."""
        present = np.isfinite(values)
        codes = np.concatenate([self._values.code(values), self._ages.code(ages_h)], axis=1)
        counts = count_codes(codes, np.concatenate([present, present], axis=1), bins=MAXIMUM_BINS)
        self._window.add(Block(counts=counts, encounters=encounters, end_s=now_s))

    @property
    def rows(self) -> int:
        """How many assessments the window holds."""
        return self._window.rows

    def counts(self) -> NDArray[np.int64]:
        """Counts [2 x channels, bins] in the window: values, then ages; windows of several servers may be added."""
        return self._window.counts() if self.rows else np.zeros((2 * len(self.channels), MAXIMUM_BINS), dtype=np.int64)

    def comparisons(self) -> tuple[Comparison, ...]:
        """Values, ages and missing rates of every channel now."""
        counts, worth, size = self.counts(), self._window.worth(), len(self.channels)
        present = counts[:size].sum(axis=1)
        missing = np.stack([present, self.rows - present], axis=1)
        yardstick = self._yardstick
        return (
            compare_shapes(self._values, counts[:size], signal=DriftSignal.VALUE, worth=worth, yardstick=yardstick),
            compare_shapes(self._ages, counts[size:], signal=DriftSignal.AGE, worth=worth, yardstick=yardstick),
            compare_rates(
                self.channels, missing, self._missing, signal=DriftSignal.MISSING, worth=worth, yardstick=yardstick
            ),
        )

    def acknowledge(self) -> None:
        """Somebody has taken note: begin again with an empty window."""
        self._window.clear()
