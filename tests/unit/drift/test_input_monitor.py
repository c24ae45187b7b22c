"""What of the input is told as drift, and what is not."""

import numpy as np

from stepdown.domain.drift import DriftReading, DriftSignal, DriftState
from stepdown.drift.input_monitor import InputMonitor
from stepdown.drift.policy import DriftPolicy
from tests.fakes.drift_references import block, reference


def monitor(**policy: float) -> InputMonitor:
    return InputMonitor(reference(), DriftPolicy(**policy))  # type: ignore[arg-type]


def reading(watched: InputMonitor, channel: str, signal: DriftSignal) -> DriftReading:
    return next(
        each
        for comparison in watched.comparisons()
        for each in comparison.readings()
        if (each.channel, each.signal) == (channel, signal)
    )


def drifting(watched: InputMonitor) -> set[tuple[str, DriftSignal]]:
    return {(name, each.signal) for each in watched.comparisons() for name in each.drifting()}


def feed(
    watched: InputMonitor, rows: int = 250, *, hr: float | None = None, no_lactate: bool = False, old: float = 0.0
) -> None:
    values, ages_h = block(rows, seed=rows)
    if hr is not None:
        values[:, 0] = hr
    if no_lactate:
        values[:, 1] = ages_h[:, 1] = np.nan
    watched.observe(values, ages_h + old, np.arange(rows), now_s=1.0)


def test_the_reference_itself_is_steady() -> None:
    watched = monitor()
    feed(watched)
    assert drifting(watched) == set()
    assert reading(watched, "HR", DriftSignal.VALUE).state is DriftState.STEADY
    assert reading(watched, "HR", DriftSignal.VALUE).size == 250


def test_a_stuck_sensor_is_seen_in_the_values() -> None:
    watched = monitor()
    feed(watched, hr=55.0)
    assert drifting(watched) == {("HR", DriftSignal.VALUE)}
    told = reading(watched, "HR", DriftSignal.VALUE)
    assert told.nats > told.alarm_nats
    assert told.psi > 1
    assert told.jensen_shannon > 0.5
    assert told.kolmogorov_smirnov > 0.3


def test_a_silent_feed_is_seen_in_the_missing_and_the_ages() -> None:
    watched = monitor()
    feed(watched, no_lactate=True)
    assert drifting(watched) == {("Lactate", DriftSignal.MISSING)}
    late = monitor()
    feed(late, old=10.0)
    assert {("HR", DriftSignal.AGE), ("Lactate", DriftSignal.AGE)} == drifting(late)


def test_too_few_encounters_say_nothing() -> None:
    watched = monitor()
    assert reading(watched, "HR", DriftSignal.VALUE).state is DriftState.INSUFFICIENT
    values, ages_h = block(250)
    values[:, 0] = 55.0
    watched.observe(values, ages_h, np.arange(250) % 5, now_s=1.0)
    assert drifting(watched) == set()
    assert reading(watched, "HR", DriftSignal.VALUE).state is DriftState.INSUFFICIENT


def test_twenty_beds_are_enough_for_a_sensor_that_is_stuck() -> None:
    watched = monitor()
    values, ages_h = block(250)
    values[:, 0] = 55.0
    watched.observe(values, ages_h, np.arange(250) % 20, now_s=1.0)
    assert drifting(watched) == {("HR", DriftSignal.VALUE)}


def test_a_difference_too_small_to_matter_is_not_told_however_many_saw_it() -> None:
    watched = monitor(window_rows=100_000)
    values, ages_h = block(50_000)
    values[:, 0] = np.clip(values[:, 0] + 1.5, 0, 100)
    watched.observe(values, ages_h, np.arange(50_000), now_s=1.0)
    assert reading(watched, "HR", DriftSignal.VALUE).state is DriftState.STEADY


def test_an_acknowledged_drift_begins_again() -> None:
    watched = monitor()
    feed(watched, hr=55.0)
    watched.acknowledge()
    assert watched.rows == 0
    assert watched.counts().sum() == 0
    assert drifting(watched) == set()
