"""ICU stays held as one flat table of hours, and their split into train, validation and test by stay.

A stay is never divided between splits: neighbouring hours of one patient are nearly the same row.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.training.columns import COLUMN_COUNT

UNRECORDED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """Hours of many stays, stay after stay, oldest first.

    `first_row` [S+1] marks where each stay begins (its last entry is the number of rows R). `predictors` float32 [R,
    40], NaN = missing. `consciousness` int8 [R]: 0 alert, 1 new confusion, 2 voice, 3 pain, 4 unresponsive; `on_oxygen`
    int8 [R]: 0 or 1; both -1 when unrecorded. `label` int8 [R] is the challenge's, already six hours early.
    """

    names: tuple[str, ...]
    first_row: NDArray[np.int64]
    predictors: NDArray[np.float32]
    consciousness: NDArray[np.int8]
    on_oxygen: NDArray[np.int8]
    label: NDArray[np.int8]

    def __post_init__(self) -> None:
        """Refuse a table whose parts disagree.

        Raises:
            ValueError: lengths differ, or the predictors are not forty columns wide.

        """
        rows = int(self.first_row[-1])
        lengths = {len(self.predictors), len(self.consciousness), len(self.on_oxygen), len(self.label)}
        if lengths != {rows} or len(self.first_row) != len(self.names) + 1:
            message = f"the parts of the table disagree: {rows} rows announced, {sorted(lengths)} held"
            raise ValueError(message)
        if self.predictors.shape[1:] != (COLUMN_COUNT,):
            message = f"expected {COLUMN_COUNT} predictors, got shape {self.predictors.shape}"
            raise ValueError(message)

    def __len__(self) -> int:
        """Return the number of stays."""
        return len(self.names)

    @property
    def stay_of_row(self) -> NDArray[np.int64]:
        """Position of the stay each row belongs to, int64 [R]."""
        return np.repeat(np.arange(len(self)), np.diff(self.first_row))

    @property
    def hour_of_row(self) -> NDArray[np.int64]:
        """Row index within its own stay, int64 [R]; the time axis of the official utility score."""
        return np.arange(len(self.label)) - np.repeat(self.first_row[:-1], np.diff(self.first_row))

    @property
    def is_septic(self) -> NDArray[np.bool_]:
        """Whether a stay has any positive hour, bool [S]."""
        return np.maximum.reduceat(self.label, self.first_row[:-1]) > 0

    @property
    def sha256(self) -> str:
        """Digest of every number held, for the provenance record."""
        digest = hashlib.sha256()
        for part in (self.first_row, self.predictors, self.consciousness, self.on_oxygen, self.label):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def select(self, chosen: NDArray[np.int64]) -> Self:
        """Return only the stays at positions `chosen`, in that order."""
        lengths = np.diff(self.first_row)[chosen]
        rows = np.repeat(self.first_row[:-1][chosen] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        rows = rows + np.arange(lengths.sum())
        return type(self)(
            names=tuple(self.names[stay] for stay in chosen),
            first_row=np.concatenate([[0], np.cumsum(lengths)]),
            predictors=self.predictors[rows],
            consciousness=self.consciousness[rows],
            on_oxygen=self.on_oxygen[rows],
            label=self.label[rows],
        )


def join(parts: tuple[Stays, ...]) -> Stays:
    """Put tables one after another into one."""
    offsets = np.cumsum([0, *[len(part.label) for part in parts[:-1]]])
    starts = [part.first_row[:-1] + offset for part, offset in zip(parts, offsets, strict=True)]
    total = sum(len(part.label) for part in parts)
    return Stays(
        names=tuple(name for part in parts for name in part.names),
        first_row=np.concatenate([*starts, np.array([total])]),
        predictors=np.concatenate([part.predictors for part in parts]),
        consciousness=np.concatenate([part.consciousness for part in parts]),
        on_oxygen=np.concatenate([part.on_oxygen for part in parts]),
        label=np.concatenate([part.label for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Three disjoint sets of stays: `validation` serves every choice, calibration and threshold; `test` none."""

    train: Stays
    validation: Stays
    test: Stays


def split(stays: Stays, *, validation_share: float, test_share: float) -> Splits:
    """Split by a digest of each stay's name, so that a stay keeps its side when others are added to the data set."""
    marks = np.array([_unit_interval(name) for name in stays.names])
    is_test = marks < test_share
    is_validation = ~is_test & (marks < test_share + validation_share)
    return Splits(
        train=stays.select(np.flatnonzero(~is_test & ~is_validation)),
        validation=stays.select(np.flatnonzero(is_validation)),
        test=stays.select(np.flatnonzero(is_test)),
    )


def _unit_interval(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
