"""Every signal of every pathway as gauges, read at a scrape and not before."""

from prometheus_client import CollectorRegistry

from stepdown.adapters.observers.drift_metrics import DriftCollector
from stepdown.domain.drift import DriftReading, DriftReport, DriftSignal, DriftState
from tests.unit.adapters.observers.scraping import samples, value


def test_a_signal_has_its_distance_its_evidence_and_its_state() -> None:
    reading = DriftReading(
        channel="HR",
        signal=DriftSignal.VALUE,
        state=DriftState.DRIFTING,
        size=80.0,
        psi=0.4,
        jensen_shannon=0.1,
        kolmogorov_smirnov=0.2,
        shift=0.5,
        nats=24.0,
        alarm_nats=12.0,
    )
    report = DriftReport(
        pathway="p", assessments=900, window_rows=500, inputs=(reading,), tiers=(("full", (reading,)),)
    )
    asked: list[int] = []

    def reports() -> tuple[DriftReport, ...]:
        asked.append(1)
        return (report,)

    registry = CollectorRegistry()
    registry.register(DriftCollector(reports))
    assert asked == []
    told = samples(registry)
    labels = {"pathway": "p", "tier": "full", "channel": "HR", "signal": "VALUE"}
    assert value(told, "stepdown_drift_psi", **labels) == 0.4
    assert value(told, "stepdown_drift_evidence_ratio", **labels) == 2
    assert value(told, "stepdown_drift_active", **labels | {"tier": ""}) == 1
    assert value(told, "stepdown_drift_effective_samples", **labels) == 80
    assert value(told, "stepdown_drift_assessments_total", pathway="p") == 900
