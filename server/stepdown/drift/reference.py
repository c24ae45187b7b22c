"""What a tier saw and said before it was released: the histograms of `reference.json`, checked and ready to compare."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import Any

from stepdown.domain.errors import DriftReferenceError

SCHEMA = "stepdown/reference/v2"
MAXIMUM_BINS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """`counts[i]` values v with `edges[i - 1] <= v < edges[i]`; the outer bins are open. One more count than edges."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many values were counted."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReference:
    """One input channel: its newest values, how old they were (hours), and how often there was none."""

    value: Histogram
    age_h: Histogram
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReference:
    """`rows` hours of `encounters` stays. `score` and `bands` are what this tier's model said about them."""

    rows: int
    encounters: int
    channels: Mapping[str, ChannelReference]
    score: Histogram
    bands: Mapping[str, int]

    @property
    def is_empty(self) -> bool:
        """A bundle of which nothing is known beforehand: there is nothing to compare with."""
        return self.rows == 0 or self.encounters == 0


def parse_reference(document: bytes) -> DriftReference:
    """Read a bundle's `reference.json`. Raises: DriftReferenceError, naming the field."""
    try:
        content = json.loads(document)
    except ValueError as error:
        raise DriftReferenceError(field="", problem="not JSON") from error
    root = _object(content, "")
    if root.get("schema") != SCHEMA:
        raise DriftReferenceError(field="schema", problem=f"must be {SCHEMA}")
    rows = _count(root.get("rows"), "rows")
    channels = _object(root.get("channels"), "channels")
    return DriftReference(
        rows=rows,
        encounters=_count(root.get("encounters"), "encounters"),
        channels=MappingProxyType({name: _channel(each, f"channels.{name}", rows) for name, each in channels.items()}),
        score=_histogram(root.get("score"), "score"),
        bands=MappingProxyType(
            {name: _count(each, f"bands.{name}") for name, each in _object(root.get("bands"), "bands").items()}
        ),
    )


def _channel(content: object, field: str, rows: int) -> ChannelReference:
    entry = _object(content, field)
    value = _histogram(entry, field)
    age_h = _histogram(entry.get("age_h"), f"{field}.age_h")
    missing = _count(entry.get("missing"), f"{field}.missing")
    if value.total + missing != rows:
        raise DriftReferenceError(field=field, problem="its counts and the missing do not add up to the rows")
    if age_h.total != value.total:
        raise DriftReferenceError(field=f"{field}.age_h", problem="not as many ages as values")
    return ChannelReference(value=value, age_h=age_h, missing=missing)


def _histogram(content: object, field: str) -> Histogram:
    entry = _object(content, field)
    edges = [_number(edge, f"{field}.edges") for edge in _list(entry.get("edges"), f"{field}.edges")]
    if any(second <= first for first, second in pairwise(edges)):
        raise DriftReferenceError(field=f"{field}.edges", problem="must rise")
    counts = [_count(each, f"{field}.counts") for each in _list(entry.get("counts"), f"{field}.counts")]
    if len(counts) != len(edges) + 1 or len(counts) > MAXIMUM_BINS:
        text = f"must be one more than the edges, and at most {MAXIMUM_BINS}"
        raise DriftReferenceError(field=f"{field}.counts", problem=text)
    return Histogram(edges=tuple(edges), counts=tuple(counts))


def _object(content: object, field: str) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise DriftReferenceError(field=field, problem="must be an object")
    return content


def _list(content: object, field: str) -> Sequence[object]:
    if not isinstance(content, list):
        raise DriftReferenceError(field=field, problem="must be a list")
    return content


def _number(content: object, field: str) -> float:
    if isinstance(content, bool) or not isinstance(content, int | float) or not isfinite(content):
        raise DriftReferenceError(field=field, problem="must be a finite number")
    return float(content)


def _count(content: object, field: str) -> int:
    if isinstance(content, bool) or not isinstance(content, int) or content < 0:
        raise DriftReferenceError(field=field, problem="must be a whole number, not below zero")
    return content
