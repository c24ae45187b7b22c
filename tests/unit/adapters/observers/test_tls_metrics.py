from prometheus_client import CollectorRegistry

from stepdown.adapters.observers.tls_metrics import TlsCollector
from stepdown.domain.certificates import TlsStatus


def test_renewals_are_counted_and_a_stale_certificate_shows() -> None:
    registry = CollectorRegistry()
    registry.register(TlsCollector(lambda: TlsStatus(reloads=2, failed_reloads=1, is_stale=True)))
    shown = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }
    assert shown == {
        ("stepdown_tls_reloads_total", ("taken",)): 2,
        ("stepdown_tls_reloads_total", ("failed",)): 1,
        ("stepdown_tls_stale", ()): 1,
    }
