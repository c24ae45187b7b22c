"""Everything there is to scrape, behind one observer and one page: `/metrics` is made here and served elsewhere."""

from collections.abc import Callable, Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder

from stepdown.adapters.observers.alarm_metrics import AlarmCollector
from stepdown.adapters.observers.drift_metrics import DriftCollector
from stepdown.adapters.observers.inference_metrics import InferenceCollector
from stepdown.adapters.observers.ledger_metrics import LedgerCollector
from stepdown.adapters.observers.metrics import MetricsObserver
from stepdown.adapters.observers.model_statistics import ModelCounts, ModelStatisticsObserver
from stepdown.adapters.observers.status_metrics import StatusCollector
from stepdown.adapters.observers.tls_metrics import TlsCollector
from stepdown.domain.build import Build
from stepdown.domain.certificates import TlsStatus
from stepdown.domain.drift import DriftReport
from stepdown.domain.notices import Notice
from stepdown.domain.records import LedgerStatus
from stepdown.domain.status import PathwayStatus
from stepdown.ports import Clock


class Metrics:
    """An observer with a registry of its own, so that two servers in one process never share a number."""

    def __init__(
        self,
        *,
        tiers: Mapping[str, tuple[str, ...]],
        status: Callable[[], Sequence[PathwayStatus]],
        clock: Clock,
        build: Build,
        environment: str,
        drift: Callable[[], Sequence[DriftReport]] = tuple,
        tls: Callable[[], TlsStatus] = TlsStatus,
    ) -> None:
        """Register every metric. `tiers`: each configured pathway's tier names; `status` is first asked at a scrape."""
        # A creation time per series doubles the page and tells nothing that the start of the process does not.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._statistics = ModelStatisticsObserver(tiers=tiers, wall_s=clock.wall_s)
        self._counted = MetricsObserver(registry=self._registry, tiers=tiers)
        self._state = StatusCollector(status=status, monotonic_s=clock.monotonic_s, pathways=tuple(tiers))
        self._registry.register(self._state)
        self._registry.register(DriftCollector(drift))
        self._registry.register(TlsCollector(tls))
        self._registry.register(InferenceCollector(snapshot=self._statistics.snapshot, status=status))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        running = Gauge(
            "stepdown_build_info",
            "What is running; always 1. A digest that nobody knows is empty.",
            ("version", "environment", "python_version", "code_sha256", "sbom_sha256"),
            registry=self._registry,
        )
        running.labels(build.version, environment, build.python, build.code_sha256, build.sbom_sha256).set(1)

    def watch(self, alarms: AlarmCollector) -> None:
        """Show what the server finds wrong with itself, too."""
        self._registry.register(alarms)

    def watch_ledger(self, status: Callable[[], LedgerStatus]) -> None:
        """Show how the ledger is doing, where one is kept."""
        self._registry.register(LedgerCollector(status))

    def notice(self, notice: Notice) -> None:
        """Pass one notice to everything that counts."""
        self._counted.notice(notice)
        self._statistics.notice(notice)
        self._state.notice(notice)

    def statistics(self) -> Mapping[tuple[str, str], ModelCounts]:
        """Counts and times per model, by pathway and tier; the tier of a whole chain is empty."""
        return self._statistics.snapshot()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, in the best format that an Accept header asks for."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the header names a version that is none
            encode, content_type = generate_latest, CONTENT_TYPE_PLAIN_0_0_4
        return encode(self._registry), content_type
