"""The server's own certificates as Prometheus sees them, read when somebody looks."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stepdown.domain.certificates import TlsStatus


class TlsCollector(Collector):
    """Asks for the status at each scrape."""

    def __init__(self, status: Callable[[], TlsStatus]) -> None:
        self._status = status

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for a status that is not there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """How renewing went."""
        status = self._status()
        reloads = CounterMetricFamily(
            "stepdown_tls_reloads", "Renewals of certificate, key and client authorities.", labels=("result",)
        )
        reloads.add_metric(("taken",), status.reloads)
        reloads.add_metric(("failed",), status.failed_reloads)
        yield reloads
        stale = GaugeMetricFamily(
            "stepdown_tls_stale", "1 while the files on disk cannot be used and older material serves on."
        )
        stale.add_metric((), float(status.is_stale))
        yield stale
