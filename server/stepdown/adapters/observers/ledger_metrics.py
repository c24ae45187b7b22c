"""The ledger's state as Prometheus families, read when somebody looks."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stepdown.domain.records import LedgerState, LedgerStatus

_GAUGES: tuple[tuple[str, str, Callable[[LedgerStatus], float]], ...] = (
    ("ledger_size", "Records on the ledger.", lambda ledger: ledger.size),
    ("ledger_waiting_records", "Records in memory that are not on the disk yet.", lambda ledger: ledger.waiting),
    (
        "ledger_checkpoint_size",
        "Records that the newest signed checkpoint covers.",
        lambda ledger: ledger.checkpoint_size,
    ),
    (
        "ledger_checkpoint_lag_seconds",
        "For how long the oldest record without a checkpoint has been there; 0 when all are covered.",
        lambda ledger: ledger.checkpoint_lag_s,
    ),
    (
        "ledger_up",
        "1 while records get onto the disk and checkpoints to their second place.",
        lambda ledger: float(ledger.state is LedgerState.WRITING and not ledger.detail),
    ),
)
_COUNTERS: tuple[tuple[str, str, Callable[[LedgerStatus], float]], ...] = (
    ("ledger_unrecorded_answers", "Answers that left without a record.", lambda ledger: ledger.unrecorded),
    ("ledger_missed_records", "Records given up because memory is bounded.", lambda ledger: ledger.missed),
    ("ledger_commits", "Times that a group of records was put on the disk.", lambda ledger: ledger.commits),
    ("ledger_commit_seconds", "Time that this took, in sum.", lambda ledger: ledger.commit_total_s),
)


class LedgerCollector(Collector):
    """Asks for the status at each scrape."""

    def __init__(self, status: Callable[[], LedgerStatus]) -> None:
        """`status` is first asked at a scrape."""
        self._status = status

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for a status that is not there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every family, from one status."""
        ledger = self._status()
        for name, documentation, value in _GAUGES:
            yield GaugeMetricFamily(f"stepdown_{name}", documentation, value=value(ledger))
        for name, documentation, value in _COUNTERS:
            yield CounterMetricFamily(f"stepdown_{name}", documentation, value=value(ledger))
