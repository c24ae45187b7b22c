"""Whether a soak was passed: nothing lost, nothing mislabelled, and nothing that only ever grows.

Growth is the slope of Theil and Sen (the median of the slopes between all pairs: Sen 1968, doi:10.1080/01621459.1968.
10480934) over the second half, times its length. One worker more at the moment of a sample, or one large batch, does
not move a median; a leak moves every pair. Refuses to judge the first half, in which caches fill and threads are made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tests.soak.sampling import Sample

_MEBIBYTE = 1 << 20
_FEWEST_SAMPLES = 8
_PAIRED_SAMPLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much each may have grown over the second half. Memory has noise of its own: allocators and late caches."""

    server_rss_bytes: float = 8 * _MEBIBYTE
    server_pss_bytes: float = 8 * _MEBIBYTE
    server_descriptors: float = 6
    server_memory_files: float = 1
    server_threads: float = 4
    workers: float = 0.5
    largest_worker_rss_bytes: float = 32 * _MEBIBYTE
    zombies: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was asked, what was found, and the most that is allowed."""

    what: str
    found: float
    allowed: float
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether it is within what is allowed."""
        return self.found <= self.allowed


_SERIES: Mapping[str, Callable[[Sample], float | None]] = {
    "server_rss_bytes": lambda sample: sample.server.rss_bytes,
    "server_pss_bytes": lambda sample: sample.server.pss_bytes,
    "server_descriptors": lambda sample: sample.server.descriptors,
    "server_memory_files": lambda sample: sample.server.memory_files,
    "server_threads": lambda sample: sample.server.threads,
    "workers": lambda sample: len(sample.workers),
    "largest_worker_rss_bytes": lambda sample: sample.largest_worker_rss_bytes,
    "zombies": lambda sample: sample.zombies,
}


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Median slope between all pairs of points; of many points, of an even choice of them."""
    step = -(-len(points) // _PAIRED_SAMPLES)
    chosen = points[::step]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(chosen, 2) if b[0] > a[0]]
    return median(slopes) if slopes else 0.0


def growth(samples: Sequence[Sample], allowance: Allowance) -> tuple[Finding, ...]:
    """One finding for each series. Too few samples are a finding too: a soak that was not watched proves nothing."""
    half = samples[len(samples) // 2 :]
    if len(half) < _FEWEST_SAMPLES:
        return (Finding(what="samples missing", found=_FEWEST_SAMPLES - len(half), allowed=0),)
    span_s = half[-1].at_s - half[0].at_s
    findings = []
    for name, read in _SERIES.items():
        points = [(sample.at_s, float(value)) for sample in half if (value := read(sample)) is not None]
        grown = slope(points) * span_s
        first, last = (f"{points[0][1]:.0f}", f"{points[-1][1]:.0f}") if points else ("?", "?")
        findings.append(
            Finding(
                what=f"growth of {name}", found=grown, allowed=getattr(allowance, name), detail=f"{first} to {last}"
            )
        )
    return tuple(findings)


def at_rest(before: Sample, after: Sample) -> tuple[Finding, ...]:
    """What is held when nobody asks, before and after. A thread pool that has grown stays: threads may be more."""
    pairs = {
        "descriptors at rest": (before.server.descriptors, after.server.descriptors, 0),
        "memory files at rest": (before.server.memory_files, after.server.memory_files, 0),
        "workers at rest": (len(before.workers), len(after.workers), 0),
        "zombies at rest": (0, after.zombies, 0),
    }
    return tuple(
        Finding(what=f"more {what}", found=last - first, allowed=allowed, detail=f"{first} to {last}")
        for what, (first, last, allowed) in pairs.items()
    )
