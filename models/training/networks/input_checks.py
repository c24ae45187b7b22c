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
HOURS_KNOWN = WINDOW_H + 1

# Identical readings in 8 of the last 10 hours. Monitors round to integers; hearts do not.
HEARTBEAT = ("HR", "SBP", "MAP")
FLAT_WINDOW_H, FLAT_COUNT, FLAT_TOLERANCE = 10, 8.0, 0.01
UNREACHED = 1e6

# A contradiction is a weighted sum of values charted in the same hour, plus a constant, that should be near nought.
# Two-sided ones
# count in either direction; the other two only upwards: a pulse pressure below 10 mmHg (or negative), and an arterial
# saturation
# above the pulse oximeter's (below is a venous sample).
COUPLINGS: tuple[tuple[dict[str, float], float, bool], ...] = (
    ({"MAP": 1.0, "SBP": -1 / 3, "DBP": -2 / 3}, 0.0, True),
    ({"SBP": -1.0, "DBP": 1.0}, NARROWEST_PULSE_PRESSURE_MMHG, False),
    ({"Hct": 1.0, "Hgb": -3.0}, 0.0, True),
    ({"SaO2": 1.0, "O2Sat": -1.0}, 0.0, False),
)


class CheckReference(NamedTuple):
    """What training windows look like.

    `tail` [40]: |z| that one value in ten thousand exceeds; `coupling_scale` [4]: likewise for each coupling, one in a
    thousand; `log_count` [49, 2, 2]: mean, then SD, of log(1 + count) of vital signs and of laboratory values, by hours
    in the window; `limit` [3]: what the first three checks are divided by.
    """

    tail: NDArray[np.float32]
    coupling_scale: NDArray[np.float32]
    log_count: NDArray[np.float32]
    limit: NDArray[np.float32]


class Contradictions(nn.Module):
    """The contradictions of `COUPLINGS` for each hour, [N, 48, 4], 0 unless every member was charted in that hour."""

    weight: Tensor
    constant: Tensor
    member: Tensor
    needed: Tensor
    downward: Tensor

    def __init__(self) -> None:
        """Lay the couplings down as matrices."""
        super().__init__()
        weight = torch.tensor([[members.get(name, 0.0) for members, _, _ in COUPLINGS] for name in NAMES])
        self.register_buffer("weight", weight)
        self.register_buffer("constant", torch.tensor([constant for _, constant, _ in COUPLINGS]))
        self.register_buffer("member", (weight != 0).to(torch.float32))
        self.register_buffer("needed", torch.tensor([float(len(members)) for members, _, _ in COUPLINGS]))
        # What a deficit counts: as much as an excess if two-sided, else nothing.
        self.register_buffer("downward", torch.tensor([-float(two_sided) for _, _, two_sided in COUPLINGS]))

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the contradictions."""
        excess = torch.matmul(prepared.possible, self.weight) + self.constant
        complete = torch.matmul(prepared.observed, self.member) >= self.needed
        return torch.where(complete, torch.maximum(excess, excess * self.downward), 0.0)


class InputChecks(nn.Module):
    """Compute the five checks of `published.CHECK_LABELS` from prepared tensors."""

    tail: Tensor
    coupling_scale: Tensor
    log_count: Tensor
    limit: Tensor
    groups: Tensor
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
        groups = [[float(name in members) for members in (VITALS, LABORATORY)] for name in NAMES]
        self.register_buffer("groups", torch.tensor(groups))
        self.register_buffer("heartbeat", torch.from_numpy(positions(HEARTBEAT)))
        self.contradictions = Contradictions()

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the checks [N, 5]."""
        rate = (self.rate(prepared) * self.limit[2]).clamp(max=SPARSE_CEILING)
        recent = (prepared.observed[:, -RECENT_H:] * self.groups[:, 0]).amax(dim=(1, 2), keepdim=True)[:, 0]
        checks = [
            self.extreme(prepared) * self.limit[0],
            self.coupling(prepared) * self.limit[1],
            torch.where(recent > 0, rate, REFUSE_AT),
            self.flat_line(prepared),
            prepared.impossible.sum(dim=(1, 2), keepdim=True)[:, 0],
        ]
        return torch.cat(checks, dim=1).clamp(max=HIGHEST)

    def extreme(self, prepared: Prepared) -> Tensor:
        """Return the largest |z| of the window, each column measured against its own tail, [N, 1]."""
        return (prepared.deviation * self.tail).amax(dim=(1, 2), keepdim=True)[:, 0]

    def coupling(self, prepared: Prepared) -> Tensor:
        """Return the worst contradiction between values charted in the same hour, [N, 1]."""
        return (self.contradictions(prepared) * self.coupling_scale).amax(dim=(1, 2), keepdim=True)[:, 0]

    def rate(self, prepared: Prepared) -> Tensor:
        """Return how unusual the number of vital signs or laboratory values is for that many hours, [N, 1]."""
        hours = prepared.begun.sum(dim=1).to(torch.int64)
        expected = self.log_count[hours]
        distance = (self.log_counts(prepared) - expected[:, 0]).abs() / expected[:, 1]
        return distance.amax(dim=1, keepdim=True)

    def log_counts(self, prepared: Prepared) -> Tensor:
        """Return log(1 + number of vital signs) and log(1 + number of laboratory values) in the window, [N, 2]."""
        return (torch.matmul(prepared.observed.sum(dim=1), self.groups) + 1.0).log()

    def flat_line(self, prepared: Prepared) -> Tensor:
        """Return 1 or more when heart rate or a pressure has stood perfectly still, [N, 1]."""
        observed = prepared.observed[:, -FLAT_WINDOW_H:].index_select(2, self.heartbeat)
        value = prepared.possible[:, -FLAT_WINDOW_H:].index_select(2, self.heartbeat)
        highest = torch.where(observed > 0, value, -UNREACHED).amax(dim=1)
        lowest = torch.where(observed > 0, value, UNREACHED).amin(dim=1)
        count = observed.sum(dim=1)
        still = (highest - lowest < FLAT_TOLERANCE) & (count >= FLAT_COUNT)
        return torch.where(still, count / FLAT_COUNT, 0.0).amax(dim=1, keepdim=True)
