"""First layer of every model: raw grid in, clean tensors out; in the graph, so that serving cannot skew.

A value outside its column's possible range, infinity included, becomes missing and is counted. NaN ends here: from this
layer on a missing value is a zero with a mask beside it, never a NaN times a mask.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.columns import DETECTION_FLOOR, WINDOW_H, limits, skewed

Z_LIMIT = 6.0
NEVER_SEEN_H = float(WINDOW_H)


class Prepared(NamedTuple):
    """Tensors of one batch, all [N, 48, 40] but `begun` [N, 48].

    `observed` 1 where a possible value stands; `standard` its z-score clamped to +-6, else 0; `last` the newest
    standard value so far, else 0; `age_h` hours since it (48 when never); `seen` 1 once a column has been observed;
    `possible` raw values, typical ones where missing; `deviation` the unclamped |z|, 0 where missing; `impossible` 1
    where a value was refused; `begun` 1 from the first row that holds anything.
    """

    observed: Tensor
    standard: Tensor
    last: Tensor
    age_h: Tensor
    seen: Tensor
    possible: Tensor
    deviation: Tensor
    impossible: Tensor
    begun: Tensor


class Preparation(nn.Module):
    """Range check, logarithm of skewed columns, z-score, forward fill, masks and ages."""

    lowest: Tensor
    highest: Tensor
    is_skewed: Tensor
    centre: Tensor
    spread: Tensor
    typical: Tensor
    hour: Tensor

    def __init__(self, centre: NDArray[np.float32], spread: NDArray[np.float32]) -> None:
        """Fix the scaling: `centre` and `spread` [40] of training values, logarithmic where a column is skewed."""
        super().__init__()
        lowest, highest = limits()
        self.register_buffer("lowest", torch.from_numpy(lowest))
        self.register_buffer("highest", torch.from_numpy(highest))
        self.register_buffer("is_skewed", torch.from_numpy(skewed()))
        self.register_buffer("centre", torch.from_numpy(centre))
        self.register_buffer("spread", torch.from_numpy(spread))
        typical = np.exp(centre, where=skewed(), out=centre.copy())
        self.register_buffer("typical", torch.from_numpy(typical))
        self.register_buffer("hour", torch.arange(WINDOW_H, dtype=torch.float32).reshape(1, WINDOW_H, 1))

    def forward(self, observations: Tensor) -> Prepared:
        """Prepare raw `observations` [N, 48, 40], NaN = missing."""
        valid = (observations >= self.lowest) & (observations <= self.highest)
        possible = torch.where(valid, observations, self.typical)
        scaled = torch.where(self.is_skewed, possible.clamp(min=DETECTION_FLOOR).log(), possible)
        z = torch.where(valid, (scaled - self.centre) / self.spread, 0.0)
        standard = z.clamp(-Z_LIMIT, Z_LIMIT)
        newest = _latest_index(torch.where(valid, self.hour + 1.0, 0.0))
        seen = (newest > 0).to(torch.float32)
        last = torch.gather(standard, 1, (newest - 1.0).clamp(min=0.0).to(torch.int64))
        impossible = (~valid & ~torch.isnan(observations)).to(torch.float32)
        return Prepared(
            observed=valid.to(torch.float32),
            standard=standard,
            last=last * seen,
            age_h=torch.where(newest > 0, self.hour + 1.0 - newest, NEVER_SEEN_H),
            seen=seen,
            possible=possible,
            deviation=z.abs(),
            impossible=impossible,
            begun=seen.amax(dim=2),
        )


def _latest_index(index: Tensor) -> Tensor:
    # Running maximum as a causal max-pool: exporters have no cummax, and a pool plus a gather costs a third of log-
    # doubling.
    padded = nn.functional.pad(index.transpose(1, 2), (WINDOW_H - 1, 0))
    return nn.functional.max_pool1d(padded, WINDOW_H, stride=1).transpose(1, 2)
