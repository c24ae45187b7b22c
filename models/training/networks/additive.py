"""The distilled model and its rivals, all on the same trend features.

The additive model (a neural additive model in the sense of Agarwal et al. 2021) has one small network per column and
sums them: what a column contributed is not an explanation fitted afterwards, it is the model.
"""

import torch
from torch import Tensor, nn

from models.training.columns import COLUMN_COUNT
from models.training.networks.trend import FEATURE_COUNT, INPUT_COUNT

HIDDEN = 24
NARROW = 12
MLP_WIDTH = 64


class AdditiveModel(nn.Module):
    """Trend features [N, 12, 40] to one contribution per column [N, 40] and, summed, a logit."""

    centre: Tensor

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Build forty networks 12 -> 24 -> 12 -> 1, held as stacked matrices."""
        super().__init__()
        self.first = nn.Parameter(torch.randn(COLUMN_COUNT, FEATURE_COUNT, HIDDEN) / FEATURE_COUNT**0.5)
        self.first_bias = nn.Parameter(torch.zeros(COLUMN_COUNT, 1, HIDDEN))
        self.second = nn.Parameter(torch.randn(COLUMN_COUNT, HIDDEN, NARROW) / HIDDEN**0.5)
        self.second_bias = nn.Parameter(torch.zeros(COLUMN_COUNT, 1, NARROW))
        self.third = nn.Parameter(0.1 * torch.randn(COLUMN_COUNT, NARROW, 1) / NARROW**0.5)
        self.intercept = nn.Parameter(torch.zeros(1))
        self.dropout = dropout
        self.register_buffer("centre", torch.zeros(COLUMN_COUNT))

    def contributions(self, features: Tensor) -> Tensor:
        """Return what each column adds to the logit, relative to the column's mean over validation hours, [N, 40]."""
        by_column = features.permute(2, 0, 1)
        hidden = torch.relu(torch.matmul(by_column, self.first) + self.first_bias)
        hidden = torch.relu(torch.matmul(hidden, self.second) + self.second_bias)
        return torch.matmul(hidden, self.third)[:, :, 0].transpose(0, 1) - self.centre

    def forward(self, features: Tensor) -> Tensor:
        """Return the logit [N, 1]; whole columns drop out in training, so that no column stands in for another."""
        parts = self.contributions(features)
        if self.training and self.dropout > 0:
            parts = nn.functional.dropout(parts, self.dropout)
        return parts.sum(dim=1, keepdim=True) + self.intercept

    def centre_on(self, features: Tensor) -> None:
        """Make every column's mean contribution over `features` zero; the intercept takes it up and scores stay."""
        with torch.no_grad():
            mean = self.contributions(features).mean(dim=0)
            self.centre += mean
            self.intercept += mean.sum()


class PerceptronModel(nn.Module):
    """A plain two-layer network on all trend features: a row of the comparison, never served."""

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Build 480 -> 64 -> 1."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(INPUT_COUNT, MLP_WIDTH), nn.ReLU(), nn.Dropout(dropout), nn.Linear(MLP_WIDTH, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the logit [N, 1]."""
        return self.layers(features.flatten(1))


class LinearModel(nn.Module):
    """Logistic regression on all trend features: the baseline that a new model has to be worth more than."""

    def __init__(self) -> None:
        """Build 480 -> 1."""
        super().__init__()
        self.layer = nn.Linear(INPUT_COUNT, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logit [N, 1]."""
        return self.layer(features.flatten(1))
