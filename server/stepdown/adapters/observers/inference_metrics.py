"""The per-model metrics that existing Triton dashboards read, under the names and units they expect.

Exposed as untyped: they are counters, but their names lack the `_total` that the exposition formats demand of one, and
renaming them would defeat their purpose. Refuses the names whose meaning has no counterpart here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

from stepdown.adapters.observers.model_statistics import CHAIN, ModelCounts
from stepdown.domain.status import PathwayStatus

_NS_PER_US = 1_000

_COUNTS: tuple[tuple[str, str, Callable[[ModelCounts], int]], ...] = (
    ("request_success", "Requests that the model answered.", lambda counts: counts.success.count),
    ("count", "Rows that the model answered.", lambda counts: counts.rows),
    ("exec_count", "Times that the model was run.", lambda counts: counts.runs),
    (
        "request_duration_us",
        "Microseconds from arrival to answer, summed over answered requests.",
        lambda counts: counts.success.ns // _NS_PER_US,
    ),
    (
        "queue_duration_us",
        "Microseconds of waiting for a worker, summed over requests.",
        lambda counts: counts.queue.ns // _NS_PER_US,
    ),
    (
        "compute_infer_duration_us",
        "Microseconds of running the model, summed over requests.",
        lambda counts: counts.compute.ns // _NS_PER_US,
    ),
)


class InferenceCollector(Collector):
    """Shows the statistics of each model at each scrape."""

    def __init__(
        self,
        *,
        snapshot: Callable[[], Mapping[tuple[str, str], ModelCounts]],
        status: Callable[[], Sequence[PathwayStatus]],
    ) -> None:
        """Read the counts from `snapshot` and the served versions from `status`."""
        self._snapshot = snapshot
        self._status = status

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for a status that is not there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One family per name."""
        versions = self._versions()
        models = {_labels(*key, versions): counts for key, counts in self._snapshot().items()}
        for name, documentation, value in _COUNTS:
            family = UnknownMetricFamily(f"nv_inference_{name}", documentation, labels=("model", "version"))
            for labels, counts in models.items():
                family.add_metric(labels, value(counts))
            yield family
        yield _failures(models)

    def _versions(self) -> Mapping[tuple[str, str], str]:
        return {
            (pathway.name, tier.name): tier.bundle.version
            for pathway in self._status()
            for tier in pathway.tiers
            if tier.bundle is not None
        }


def _failures(models: Mapping[tuple[str, str], ModelCounts]) -> Metric:
    family = UnknownMetricFamily(
        "nv_inference_request_failure",
        "Requests that the model was asked and did not answer.",
        labels=("model", "version", "reason"),
    )
    for labels, counts in models.items():
        for reason, count in counts.failures:
            family.add_metric((*labels, reason), count)
    return family


def _labels(pathway: str, tier: str, versions: Mapping[tuple[str, str], str]) -> tuple[str, str]:
    model = pathway if tier == CHAIN else f"{pathway}/{tier}"
    return model, versions.get((pathway, tier), "")
