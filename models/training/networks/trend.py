"""Trend features of the current hour: twelve per column, made by one matrix product over the window.

They carry nearly everything a student needs; a transformer finds the same by attention.
"""

import numpy as np
import torch
from torch import Tensor, nn

from models.training.columns import COLUMN_COUNT, WINDOW_H
from models.training.networks.preparation import Prepared

FEATURES = ("last", "seen", "freshness", "mean", "mean_3h", "mean_8h", "mean_8_24h", "mean_fading",
            "change_8_24h", "change_window", "deviation", "count")  # fmt: skip
FEATURE_COUNT = len(FEATURES)
INPUT_COUNT = FEATURE_COUNT * COLUMN_COUNT
FRESHNESS_H = 6.0
FADING_H = 12.0


class TrendFeatures(nn.Module):
    """Prepared tensors [N, 48, 40] to trend features [N, 12, 40] of the last hour."""

    kernel: Tensor

    def __init__(self) -> None:
        """Lay down the fixed time kernels."""
        super().__init__()
        age = np.arange(WINDOW_H)[::-1].astype(np.float32)
        kernel = np.stack([age >= 0, age < 3, age < 8, (age >= 8) & (age < 24), np.exp(-age / FADING_H)])  # noqa: PLR2004 -- hours
        self.register_buffer("kernel", torch.from_numpy(kernel.astype(np.float32)))

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the features of the current hour."""
        totals = torch.matmul(self.kernel, prepared.standard)
        weights = torch.matmul(self.kernel, prepared.observed)
        means = totals / weights.clamp(min=1e-3)
        last, seen = prepared.last[:, -1:], prepared.seen[:, -1:]
        has_earlier = (weights[:, 3:4] > 0).to(torch.float32)
        mean_square = torch.matmul(self.kernel[:1], prepared.standard.square()) / weights[:, :1].clamp(min=1e-3)
        spread = (mean_square - means[:, :1].square()).clamp(min=0.0).add(1e-6).sqrt()
        parts = [
            last,
            seen,
            torch.exp(-prepared.age_h[:, -1:] / FRESHNESS_H),
            means,
            (last - means[:, 3:4]) * has_earlier,
            last - means[:, :1],
            spread,
            (weights[:, :1] + 1.0).log() / 2.0,
        ]
        return torch.cat(parts, dim=1)
