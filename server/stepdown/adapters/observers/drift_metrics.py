"""Drift as Prometheus gauges, read when somebody looks. Channels are the reference's: their number is bounded."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stepdown.domain.drift import DriftReport, DriftState

_SIGNAL = ("pathway", "tier", "channel", "signal")


class DriftCollector(Collector):
    """Asks for the reports at each scrape. The tier label is empty for a pathway's input."""

    def __init__(self, reports: Callable[[], Sequence[DriftReport]]) -> None:
        """`reports` is first asked at a scrape."""
        self._reports = reports

    def describe(self) -> list[Metric]:
        """Name nothing in advance: the reports are asked at a scrape and not before."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every signal of every pathway."""
        psi = GaugeMetricFamily(
            "stepdown_drift_psi", "Population stability index against the reference in the bundle.", labels=_SIGNAL
        )
        evidence = GaugeMetricFamily(
            "stepdown_drift_evidence_ratio", "Evidence against chance; 1 is the alarm's limit.", labels=_SIGNAL
        )
        drifting = GaugeMetricFamily(
            "stepdown_drift_active", "1 while a signal drifts from the reference.", labels=_SIGNAL
        )
        size = GaugeMetricFamily(
            "stepdown_drift_effective_samples", "Independent assessments behind a signal.", labels=_SIGNAL
        )
        seen = CounterMetricFamily(
            "stepdown_drift_assessments", "Assessments that the drift watch has seen.", labels=("pathway",)
        )
        for report in self._reports():
            seen.add_metric((report.pathway,), report.assessments)
            for tier, reading in report.by_concern():
                labels = (report.pathway, tier, reading.channel, reading.signal.value)
                psi.add_metric(labels, reading.psi)
                evidence.add_metric(labels, reading.nats / reading.alarm_nats)
                drifting.add_metric(labels, float(reading.state is DriftState.DRIFTING))
                size.add_metric(labels, reading.size)
        yield from (psi, evidence, drifting, size, seen)
