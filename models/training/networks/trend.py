"""Trend features: twelve per column, made by one matrix product over the window with fixed, causal time kernels.

The students see those of the current hour, the transformer those of every hour, so that it need not spend attention on
averages.
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
SHORT_H, MIDDLE_H, LONG_H = 3, 8, 24
KERNELS = 5
SMALLEST_WEIGHT = 1e-3
SMALLEST_VARIANCE = 1e-6


class TrendFeatures(nn.Module):
    """Prepared tensors to trend features of the last `hours` hours, each from its past alone, [N, hours, 12, 40]."""

    kernel: Tensor

    def __init__(self, *, hours: int = 1) -> None:
        """Lay down the fixed time kernels, [5, hours asked, 48 hours seen]."""
        super().__init__()
        self.hours = hours
        hour = np.arange(WINDOW_H)
        age = (hour[WINDOW_H - hours :, None] - hour[None, :]).astype(np.float32)
        causal = age >= 0
        fading = np.exp(-np.maximum(age, 0) / FADING_H)
        spans = [causal, age < SHORT_H, age < MIDDLE_H, (age >= MIDDLE_H) & (age < LONG_H), fading]
        kernel = np.stack([(span * causal).astype(np.float32) for span in spans])
        self.register_buffer("kernel", torch.from_numpy(kernel))

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the features."""
        flat = self.kernel.reshape(KERNELS * self.hours, WINDOW_H)
        shape = (-1, KERNELS, self.hours, COLUMN_COUNT)
        weights = torch.matmul(flat, prepared.observed).reshape(shape)
        means = torch.matmul(flat, prepared.standard).reshape(shape) / weights.clamp(min=SMALLEST_WEIGHT)
        count, earlier = weights[:, 0], weights[:, 3]
        mean, mean_earlier = means[:, 0], means[:, 3]
        mean_square = torch.matmul(self.kernel[0], prepared.standard.square()) / count.clamp(min=SMALLEST_WEIGHT)
        last, seen = prepared.last[:, -self.hours :], prepared.seen[:, -self.hours :]
        parts = [
            last,
            seen,
            torch.exp(prepared.age_h[:, -self.hours :] / -FRESHNESS_H),
            means.transpose(1, 2).flatten(2),
            torch.where(earlier > 0, last - mean_earlier, 0.0),
            last - mean,
            (mean_square - mean.square()).clamp(min=SMALLEST_VARIANCE).sqrt(),
            (count + 1.0).log() / 2.0,
        ]
        # One concatenation of flat parts: stacking would cost the graph a node for each.
        return torch.cat(parts, dim=2).reshape(-1, self.hours, FEATURE_COUNT, COLUMN_COUNT)
