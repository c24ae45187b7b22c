"""Blocks of answers on a thread of its own: told when full or old, never held up, never more than fit."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from stepdown.adapters.drift_watcher import DriftWatcher
from stepdown.domain.drift import DriftSample
from stepdown.domain.notices import DriftChanged
from stepdown.drift.policy import DriftPolicy
from stepdown.serving.drift_watch import DriftWatch
from tests.unit.serving.test_drift_watch import EMPTY, FULL, samples

PATIENCE_S = 10.0


class HandClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return self.now_s


class Told:
    def __init__(self) -> None:
        self.changes: list[DriftChanged] = []
        self.errors: list[Exception] = []
        self.heard = threading.Event()

    def tell(self, changes: Sequence[DriftChanged]) -> None:
        self.changes.extend(changes)
        self.heard.set()

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)
        self.heard.set()


@contextmanager
def watcher(watch: DriftWatch, told: Told, *, look_after_s: float = 3600.0) -> Iterator[DriftWatcher]:
    made = DriftWatcher(
        {"sepsis": watch}, clock=HandClock(), tell=told.tell, on_error=told.on_error, look_after_s=look_after_s
    )
    try:
        yield made
    finally:
        made.close()


def full_watch() -> DriftWatch:
    return DriftWatch("sepsis", (FULL,), DriftPolicy())


def test_a_full_block_is_looked_at_and_what_drifts_is_told() -> None:
    told = Told()
    with watcher(full_watch(), told) as watched:
        for sample in samples(heart_rate=55.0):
            watched.saw(sample)
        assert told.heard.wait(PATIENCE_S)
        assert [change.channel for change in told.changes] == ["HR"]
        assert watched.reports()[0].assessments == 250


def test_an_old_block_is_looked_at_though_it_is_not_full() -> None:
    told = Told()
    with watcher(full_watch(), told, look_after_s=0.0) as watched:
        for sample in samples(heart_rate=55.0)[:60]:
            watched.saw(sample)
        assert told.heard.wait(PATIENCE_S)


def test_the_rest_is_counted_when_the_server_stops() -> None:
    told = Told()
    with watcher(full_watch(), told) as watched:
        watched.saw(samples()[0])
    assert watched.reports()[0].assessments == 1


def test_an_acknowledgement_is_told_and_an_unknown_pathway_is_not_watched() -> None:
    told = Told()
    with watcher(full_watch(), told) as watched:
        for sample in samples(heart_rate=55.0):
            watched.saw(sample)
        assert told.heard.wait(PATIENCE_S)
        watched.acknowledge("sepsis")
        assert [change.drifting for change in told.changes] == [True, False]
        with pytest.raises(KeyError):
            watched.acknowledge("other")
        watched.saw(DriftSample(pathway="other", cells=b"", encounter=1))


def test_a_pathway_without_a_reference_costs_nothing() -> None:
    with watcher(DriftWatch("sepsis", (EMPTY,), DriftPolicy()), Told()) as watched:
        watched.saw(samples()[0])
        assert watched.reports() == ()


def test_statistics_that_fail_are_reported_and_the_watching_goes_on() -> None:
    told, watch = Told(), full_watch()
    with watcher(watch, told) as watched:
        for _ in range(250):
            watched.saw(DriftSample(pathway="sepsis", cells=b"short", encounter=1))
        assert told.heard.wait(PATIENCE_S)
        assert isinstance(told.errors[0], ValueError)
        told.heard.clear()
        for sample in samples(heart_rate=55.0):
            watched.saw(sample)
        assert told.heard.wait(PATIENCE_S)
        assert told.changes


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    told, watch = Told(), full_watch()
    busy = threading.Event()
    told.tell = lambda _: busy.wait(PATIENCE_S) and None  # type: ignore[assignment, method-assign]
    with watcher(watch, told) as watched:
        for _ in range(12):
            for sample in samples(heart_rate=55.0):
                watched.saw(sample)
        busy.set()
    assert 0 < watched.dropped <= 12 * 250
    assert watched.dropped + watched.reports()[0].assessments == 12 * 250
