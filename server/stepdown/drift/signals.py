"""A reference laid out for comparison: one row of bins per signal, so that a block is one count array."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepdown.drift.reference import MAXIMUM_BINS, DriftReference, Histogram

LEAST_SHARE = 0.05
"""Neighbouring bins are merged until each holds this share, so that the chi-square tail can be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`edges` [signals, bins-1], padded with infinity; `expected` shares and `scores` [signals, bins], padded with 0.

    `scores` are ridits (mean cumulative share), centred on 0 and in reference standard deviations.
    """

    names: tuple[str, ...]
    edges: NDArray[np.float64]
    expected: NDArray[np.float64]
    counts: NDArray[np.int64]
    scores: NDArray[np.float64]
    degrees: NDArray[np.float64]
    widest: int

    def code(self, values: NDArray[np.floating]) -> NDArray[np.intp]:
        """Bin of each value [rows, signals]; NaN falls nowhere: mask it."""
        codes = np.zeros(values.shape, dtype=np.intp)
        for edges in self.edges.T[: self.widest]:  # one comparison of the whole block per edge: no array of three axes
            codes += values >= edges
        return codes


def lay_out(histograms: dict[str, Histogram]) -> Layout:
    """Merge thin bins, pad to one width, and score the bins."""
    merged = {name: _merge(each) for name, each in histograms.items()}
    edges = np.full((len(merged), MAXIMUM_BINS - 1), np.inf)
    counts = np.zeros((len(merged), MAXIMUM_BINS), dtype=np.int64)
    for row, (own_edges, own_counts) in enumerate(merged.values()):
        edges[row, : len(own_edges)] = own_edges
        counts[row, : len(own_counts)] = own_counts
    totals = counts.sum(axis=1, keepdims=True)
    expected = counts / np.maximum(totals, 1)
    return Layout(
        names=tuple(merged),
        edges=edges,
        expected=expected,
        counts=counts,
        scores=_ridits(expected),
        degrees=np.maximum((counts > 0).sum(axis=1) - 1, 1).astype(np.float64),
        widest=max((len(own_edges) for own_edges, _ in merged.values()), default=0),
    )


def values_of(reference: DriftReference) -> Layout:
    """The newest values of every channel."""
    return lay_out({name: channel.value for name, channel in reference.channels.items()})


def ages_of(reference: DriftReference) -> Layout:
    """The ages of the newest values of every channel."""
    return lay_out({name: channel.age_h for name, channel in reference.channels.items()})


def _ridits(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    ridit = np.cumsum(expected, axis=1) - expected / 2 - 0.5
    deviation = np.sqrt((expected * ridit**2).sum(axis=1, keepdims=True))
    return np.asarray(np.where(expected > 0, ridit / np.maximum(deviation, 1e-12), 0.0))


def _merge(histogram: Histogram) -> tuple[list[float], list[int]]:
    least = LEAST_SHARE * histogram.total
    edges: list[float] = []
    counts = [0]
    for position, count in enumerate(histogram.counts):
        if position and counts[-1] >= max(least, 1):
            edges.append(histogram.edges[position - 1])
            counts.append(0)
        counts[-1] += count
    if edges and counts[-1] < least:
        edges.pop()
        last = counts.pop()
        counts[-1] += last
    return edges, counts
