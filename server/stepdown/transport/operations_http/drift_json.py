"""Drift as JSON, for the status and the page: the most surprising signals first."""

from stepdown.domain.drift import DriftReading, DriftReport

SHOWN = 20


def drift_json(report: DriftReport) -> dict[str, object]:
    """One pathway's drift. `tier` is null for the input; `evidence` 1 is the alarm's limit."""
    return {
        "state": report.state.value,
        "assessments": report.assessments,
        "window": report.window_rows,
        "signals": [_signal(tier, reading) for tier, reading in report.by_concern()[:SHOWN]],
    }


def _signal(tier: str, reading: DriftReading) -> dict[str, object]:
    return {
        "tier": tier or None,
        "channel": reading.channel,
        "signal": reading.signal.value,
        "state": reading.state.value,
        "effective_samples": round(reading.size, 1),
        "psi": round(reading.psi, 4),
        "jensen_shannon": round(reading.jensen_shannon, 4),
        "kolmogorov_smirnov": round(reading.kolmogorov_smirnov, 4),
        "shift": round(reading.shift, 4),
        "evidence": round(reading.nats / reading.alarm_nats, 3),
    }
