"""Alarms and certificate ends as Prometheus gauges, read when somebody looks."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stepdown.domain.alarms import AlarmKind, StandingAlarm
from stepdown.domain.drills import InjectedFault


class AlarmCollector(Collector):
    """What stands wrong, how long certificates last, and which faults are rehearsed."""

    def __init__(
        self,
        *,
        alarms: Callable[[], tuple[StandingAlarm, ...]],
        certificates_s: Callable[[], Mapping[str, float]],
        injected: Callable[[], tuple[InjectedFault, ...]],
    ) -> None:
        """All three are asked at each scrape. `certificates_s`: seconds left, by what a certificate is for."""
        self._alarms = alarms
        self._certificates_s = certificates_s
        self._injected = injected

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for what is not there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every gauge."""
        standing = GaugeMetricFamily(
            "stepdown_alarms", "Alarms of each kind that stand, over everything they can be about.", labels=("alarm",)
        )
        kinds = [each.alarm.kind for each in self._alarms()]
        for kind in AlarmKind:
            standing.add_metric((kind.value,), kinds.count(kind))
        yield standing
        remaining = GaugeMetricFamily(
            "stepdown_certificate_remaining_seconds",
            "Time until a certificate of the server ends; below 0 after that.",
            labels=("certificate",),
        )
        for name, left_s in self._certificates_s().items():
            remaining.add_metric((name,), left_s)
        yield remaining
        faults = GaugeMetricFamily("stepdown_injected_faults", "Faults that drills have put in and not taken back yet.")
        faults.add_metric((), len(self._injected()))
        yield faults
