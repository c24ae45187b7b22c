"""Figures in words, the same everywhere in the report. Pure."""

_MS_PER_S = 1000.0
_WHOLE_FROM = 10.0

MEANINGS = {
    "availability": "encounters answered in time",
    "emergency_availability": "emergencies answered in time",
    "lost": "encounters without an answer",
    "lost_outside_surge": "encounters before and after the surge without an answer",
    "mislabelled": "answers that are not what they say",
    "p50_ms": "median latency",
    "p99_ms": "latency of 99 %",
    "p99_9_ms": "latency of 99.9 %",
    "detected_ms": "fault until the tier is out of service",
    "fell_back_ms": "fault until the next tier answers",
    "recovered_s": "end of the cause until the first tier answers again",
    "first_tier_share": "answers by the first tier",
    "surge_goodput": "answers in the surge, times the first tier's capacity",
}


def value(objective: str, number: float) -> str:
    """A figure in the unit that its objective's name ends with."""
    if objective.endswith("_ms"):
        return milliseconds(number)
    if objective.endswith("_s"):
        return seconds(number)
    if objective.endswith(("availability", "_share")):
        return share(number)
    return f"{number:.2f}" if objective == "surge_goodput" else f"{number:g}"


def milliseconds(number: float | None) -> str:
    """Whole milliseconds, or tenths of few."""
    if number is None:
        return "—"
    return f"{number:.0f} ms" if number >= _WHOLE_FROM else f"{number:.1f} ms"


def seconds(number: float | None) -> str:
    """Tenths of a second."""
    return "—" if number is None else f"{number:.1f} s"


def share(number: float | None) -> str:
    """Per cent, never rounded to all or nothing when it is not."""
    if number is None:
        return "—"
    if number in {0.0, 1.0}:
        return f"{number:.0%}"
    return f"{min(max(number, 0.0001), 0.9999):.2%}"
