"""Compares what a pathway is given, and what each of its tiers says, with the references in the verified bundles.

Pure: blocks of samples in, notices out. Refuses to answer anything, and keeps no sample: only counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stepdown.clinical.channels import GRID_COLUMN
from stepdown.domain.bands import Band
from stepdown.domain.drift import DriftReport, DriftSample, DriftSignal, DriftState
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS
from stepdown.domain.notices import DriftChanged
from stepdown.drift.input_monitor import InputMonitor
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.reference import DriftReference
from stepdown.drift.score_monitor import ScoreMonitor

ALERT_FROM = Band.MEDIUM.name
NOT_WATCHED = frozenset({"ICULOS"})
"""The counter of hours says how long the patients have been there, which says more of the ward than of the feed."""

_HOURS = np.arange(1, GRID_HOURS + 1, dtype=np.uint8)[None, :, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReference:
    """The reference that a bundle brings for one tier of a pathway."""

    tier: str
    bundle_sha256: str
    reference: DriftReference


@dataclass(slots=True, kw_only=True)
class _Scores:
    tier: str
    monitor: ScoreMonitor
    told: set[tuple[str, DriftSignal]] = field(default_factory=set)


class DriftWatch:
    """One pathway. Not thread-safe. Input is compared with the reference of the best tier that brings one."""

    def __init__(self, pathway: str, references: Sequence[TierReference], policy: DriftPolicy) -> None:
        """`references`, best tier first; empty ones are passed over."""
        known = [each for each in references if not each.reference.is_empty]
        self.pathway = pathway
        self.policy = policy
        self.assessments = 0
        self._inputs = InputMonitor(_watched(known[0].reference), policy) if known else None
        self._columns = [GRID_COLUMN[name] for name in self._inputs.channels] if self._inputs is not None else []
        self._scores = {
            each.bundle_sha256: _Scores(
                tier=each.tier, monitor=ScoreMonitor(each.reference, policy, alert_from=ALERT_FROM)
            )
            for each in known
        }
        self._told: set[tuple[str, DriftSignal]] = set()

    @property
    def has_reference(self) -> bool:
        """Whether there is anything to compare with."""
        return self._inputs is not None

    def take(self, samples: Sequence[DriftSample], now_s: float) -> tuple[DriftChanged, ...]:
        """Count a block of answers of this pathway; returns what began to drift and what no longer does."""
        self.assessments += len(samples)
        if self._inputs is None or not samples:
            return ()
        encounters = np.array([sample.encounter for sample in samples], dtype=np.int64)
        values, ages_h = newest([sample.cells for sample in samples])
        self._inputs.observe(values[:, self._columns], ages_h[:, self._columns], encounters, now_s=now_s)
        changes = list(self._input_changes(self._inputs))
        for sha256, scores in self._scores.items():
            own = [row for row, sample in enumerate(samples) if sample.bundle_sha256 == sha256]
            if own:
                self._observe_scores(scores.monitor, [samples[row] for row in own], encounters[own], now_s)
                changes.extend(self._score_changes(scores))
        return tuple(changes)

    def report(self) -> DriftReport:
        """Everything known now."""
        inputs = self._inputs
        return DriftReport(
            pathway=self.pathway,
            assessments=self.assessments,
            window_rows=inputs.rows if inputs is not None else 0,
            inputs=tuple(reading for each in inputs.comparisons() for reading in each.readings()) if inputs else (),
            tiers=tuple((scores.tier, scores.monitor.readings()) for scores in self._scores.values()),
        )

    def acknowledge(self) -> tuple[DriftChanged, ...]:
        """Somebody has taken note: every window begins again."""
        if self._inputs is not None:
            self._inputs.acknowledge()
        ended = [*self._changes("", self._told, set())]
        for scores in self._scores.values():
            scores.monitor.acknowledge()
            ended.extend(self._changes(scores.tier, scores.told, set()))
        return tuple(ended)

    @staticmethod
    def _observe_scores(
        monitor: ScoreMonitor, samples: Sequence[DriftSample], encounters: NDArray[np.int64], now_s: float
    ) -> None:
        scores = np.array([np.nan if sample.probability is None else sample.probability for sample in samples])
        bands = np.array([_ORDINAL.get(sample.band, np.nan) for sample in samples])
        monitor.observe(scores, bands, encounters, now_s=now_s)

    def _input_changes(self, inputs: InputMonitor) -> Iterator[DriftChanged]:
        now = {(name, each.signal) for each in inputs.comparisons() for name in each.drifting()}
        yield from self._changes("", self._told, now)

    def _score_changes(self, scores: _Scores) -> Iterator[DriftChanged]:
        drifting = {
            (reading.channel, reading.signal)
            for reading in scores.monitor.readings()
            if reading.state is DriftState.DRIFTING
        }
        yield from self._changes(scores.tier, scores.told, drifting)

    def _changes(
        self, tier: str, told: set[tuple[str, DriftSignal]], now: set[tuple[str, DriftSignal]]
    ) -> Iterator[DriftChanged]:
        for channel, signal in sorted(told ^ now):
            drifting = (channel, signal) in now
            yield DriftChanged(pathway=self.pathway, tier=tier, channel=channel, signal=signal, drifting=drifting)
        told.clear()
        told.update(now)


_ORDINAL: Mapping[Band | None, float] = {band: float(band - Band.LOW) for band in Band if band >= Band.LOW}


def newest(cells: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Newest value of each column and its age in hours, both [rows, columns]; NaN where there is none."""
    grids = np.frombuffer(b"".join(cells), dtype="<f4").reshape(len(cells), GRID_HOURS, GRID_COLUMNS)
    latest = (_HOURS * ~np.isnan(grids)).max(axis=1)  # 1-based hour of the newest value, 0: none
    hour = np.maximum(latest, 1).astype(np.intp) - 1
    values = np.take_along_axis(grids, hour[:, None, :], axis=1)[:, 0]
    ages_h = np.where(latest > 0, np.float32(GRID_HOURS) - latest.astype(np.float32), np.float32(np.nan))
    return values, ages_h


def _watched(reference: DriftReference) -> DriftReference:
    channels = {name: each for name, each in reference.channels.items() if name in GRID_COLUMN.keys() - NOT_WATCHED}
    return DriftReference(
        rows=reference.rows,
        encounters=reference.encounters,
        channels=channels,
        score=reference.score,
        bands=reference.bands,
    )
