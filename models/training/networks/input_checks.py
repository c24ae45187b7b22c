"""Structured checks of the raw input beside the score: does this window look like the training data?

Five numbers, each divided by its own limit so that 1.0 is a flag. Limits of the first three are the 99th percentile
over training windows; the last two are rules. A density of the whole input was tried and is worse: it calls a patient
without laboratory values normal. Sparse data may flag but never exceeds 2.5 alone; a window without one vital sign in
twelve hours is unsuitable outright.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.columns import CONTEXT, LABORATORY, NAMES, VITALS, WINDOW_H, positions
from models.training.networks.preparation import Prepared
from models.training.published import REFUSE_AT

SPARSE_CEILING = 2.5
HIGHEST = 100.0
RECENT_H = 12
NARROWEST_PULSE_PRESSURE_MMHG = 10.0
# Identical readings: 8 of the last 10 hours, or 12 of the last 24. Monitors round to integers; hearts do not.
FLAT_LINES: tuple[tuple[int, float], ...] = ((10, 8.0), (24, 12.0))
FLAT_TOLERANCE = 0.01
LONGEST_FLAT_H = 24
UNREACHED = 1e6
HEARTBEAT = ("HR", "SBP", "MAP")
COUPLED = ("SBP", "DBP", "MAP", "Hct", "Hgb", "SaO2", "O2Sat")
HOURS_KNOWN = WINDOW_H + 1


class CheckReference(NamedTuple):
    """What training windows look like.

    `tail` [40]: |z| that one value in ten thousand exceeds; `coupling_scale` [4]: likewise for each coupling, one in a
    thousand; `log_count` [49, 2, 2]: mean and SD of log(1 + count) of vital signs and of laboratory values, by hours in
    the window; `limit` [3]: what the first three checks are divided by.
    """

    tail: NDArray[np.float32]
    coupling_scale: NDArray[np.float32]
    log_count: NDArray[np.float32]
    limit: NDArray[np.float32]


class InputChecks(nn.Module):
    """Compute the five checks of `published.CHECK_LABELS` from prepared tensors."""

    tail: Tensor
    coupling_scale: Tensor
    log_count: Tensor
    limit: Tensor
    vital: Tensor
    laboratory: Tensor
    heartbeat: Tensor

    def __init__(self, reference: CheckReference) -> None:
        """Bake the training reference into the graph."""
        super().__init__()
        tail = reference.tail.copy()
        tail[positions(CONTEXT)] = np.inf  # demographics have tails of their own and are no measurement
        self.register_buffer("tail", torch.from_numpy(1.0 / tail))
        self.register_buffer("coupling_scale", torch.from_numpy(1.0 / reference.coupling_scale))
        self.register_buffer("log_count", torch.from_numpy(reference.log_count))
        self.register_buffer("limit", torch.from_numpy(1.0 / reference.limit))
        for name, members in (("vital", VITALS), ("laboratory", LABORATORY)):
            self.register_buffer(name, torch.tensor([float(column in members) for column in NAMES]))
        self.register_buffer("heartbeat", torch.from_numpy(positions(HEARTBEAT)))

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the checks [N, 5]."""
        rate = (self.rate(prepared) * self.limit[2]).clamp(max=SPARSE_CEILING)
        recent = (prepared.observed[:, -RECENT_H:] * self.vital).amax(dim=(1, 2))
        checks = torch.stack(
            [
                self.extreme(prepared) * self.limit[0],
                self.coupling(prepared) * self.limit[1],
                torch.where(recent > 0, rate, REFUSE_AT),
                self.flat_line(prepared),
                prepared.impossible.sum(dim=(1, 2)),
            ],
            dim=1,
        )
        return checks.clamp(max=HIGHEST)

    def extreme(self, prepared: Prepared) -> Tensor:
        """Return the largest |z| of the window, each column measured against its own tail, [N]."""
        return (prepared.deviation * self.tail).amax(dim=(1, 2))

    def coupling(self, prepared: Prepared) -> Tensor:
        """Return the worst contradiction between values charted in the same hour, [N]."""
        return (couplings(prepared) * self.coupling_scale).amax(dim=(1, 2))

    def rate(self, prepared: Prepared) -> Tensor:
        """Return how unusual the number of vital signs or laboratory values is for that many hours, [N]."""
        hours = prepared.begun.sum(dim=1).to(torch.int64)
        expected = self.log_count[hours]
        counts = log_counts(prepared, self.vital, self.laboratory)
        return ((counts - expected[:, :, 0]).abs() / expected[:, :, 1]).amax(dim=1)

    def flat_line(self, prepared: Prepared) -> Tensor:
        """Return 1 or more when heart rate or a pressure has stood perfectly still, [N]."""
        observed = prepared.observed[:, -LONGEST_FLAT_H:].index_select(2, self.heartbeat)
        value = prepared.possible[:, -LONGEST_FLAT_H:].index_select(2, self.heartbeat)
        highest = torch.where(observed > 0, value, -UNREACHED)
        lowest = torch.where(observed > 0, value, UNREACHED)
        scores = []
        for hours, needed in FLAT_LINES:
            swing = highest[:, -hours:].amax(dim=1) - lowest[:, -hours:].amin(dim=1)
            count = observed[:, -hours:].sum(dim=1)
            still = (swing < FLAT_TOLERANCE) & (count >= needed)
            scores.append(torch.where(still, count / needed, 0.0))
        return torch.cat(scores, dim=1).amax(dim=1)


def couplings(prepared: Prepared) -> Tensor:
    """Return four contradictions per hour [N, 48, 4], 0 unless every member was charted in that hour.

    Mean pressure away from a third of the way up; pulse pressure too narrow or negative; haematocrit away from three
    times haemoglobin; arterial saturation above the pulse oximeter's (below is a venous sample).
    """
    members = torch.from_numpy(positions(COUPLED))
    systolic, diastolic, mean, hct, hgb, arterial, pulse = prepared.possible.index_select(2, members).unbind(2)
    has_sys, has_dia, has_mean, has_hct, has_hgb, has_art, has_pulse = prepared.observed.index_select(
        2, members
    ).unbind(2)
    has_pressure = has_sys * has_dia
    return torch.stack(
        [
            (mean - (systolic + 2 * diastolic) / 3).abs() * has_mean * has_pressure,
            (NARROWEST_PULSE_PRESSURE_MMHG - systolic + diastolic).clamp(min=0.0) * has_pressure,
            (hct - 3 * hgb).abs() * has_hct * has_hgb,
            (arterial - pulse).clamp(min=0.0) * has_art * has_pulse,
        ],
        dim=2,
    )


def log_counts(prepared: Prepared, vital: Tensor, laboratory: Tensor) -> Tensor:
    """Return log(1 + number of vital signs) and log(1 + number of laboratory values) in the window, [N, 2]."""
    per_column = prepared.observed.sum(dim=1)
    counts = torch.stack([(per_column * vital).sum(dim=1), (per_column * laboratory).sum(dim=1)], dim=1)
    return (counts + 1.0).log()
