"""What gets exported: preparation, model, calibration and input checks in one graph, raw grid in, answers out."""

import torch
from torch import Tensor, nn

from models.training.networks.additive import AdditiveModel
from models.training.networks.input_checks import InputChecks
from models.training.networks.preparation import Preparation
from models.training.networks.transformer import Transformer
from models.training.networks.trend import TrendFeatures


class Calibration(nn.Module):
    """Platt scaling (Platt 1999): probability = sigmoid(slope x logit + intercept), fitted on the validation split."""

    slope: Tensor
    intercept: Tensor

    def __init__(self, *, slope: float, intercept: float) -> None:
        """Bake two constants."""
        super().__init__()
        self.register_buffer("slope", torch.tensor(slope, dtype=torch.float32))
        self.register_buffer("intercept", torch.tensor(intercept, dtype=torch.float32))

    def forward(self, logit: Tensor) -> Tensor:
        """Return the calibrated probability."""
        return torch.sigmoid(self.slope * logit + self.intercept)


class ServedTransformer(nn.Module):
    """Raw grid [N, 48, 40] to probability [N, 1] and input checks [N, 5]."""

    def __init__(
        self, *, preparation: Preparation, model: Transformer, checks: InputChecks, calibration: Calibration
    ) -> None:
        """Put the parts together."""
        super().__init__()
        self.preparation, self.model, self.checks, self.calibration = preparation, model, checks, calibration

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return (probability, input checks)."""
        prepared = self.preparation(observations)
        return self.calibration(self.model(prepared)), self.checks(prepared)


class ServedAdditive(nn.Module):
    """Raw grid [N, 48, 40] to probability [N, 1], contributions [N, 40] to its logit, and input checks [N, 5]."""

    def __init__(
        self, *, preparation: Preparation, model: AdditiveModel, checks: InputChecks, calibration: Calibration
    ) -> None:
        """Put the parts together."""
        super().__init__()
        self.preparation, self.model, self.checks, self.calibration = preparation, model, checks, calibration
        self.trend = TrendFeatures()

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (probability, contributions, input checks).

        The logit of the probability is a constant plus the sum of the contributions.
        """
        prepared = self.preparation(observations)
        parts = self.model.contributions(self.trend(prepared)[:, 0])
        probability = self.calibration(parts.sum(dim=1, keepdim=True) + self.model.intercept)
        return probability, parts * self.calibration.slope, self.checks(prepared)


class ServedFeatureModel(nn.Module):
    """A comparison model on trend features: raw grid [N, 48, 40] to probability [N, 1]."""

    def __init__(self, *, preparation: Preparation, model: nn.Module, calibration: Calibration) -> None:
        """Put the parts together."""
        super().__init__()
        self.preparation, self.model, self.calibration = preparation, model, calibration
        self.trend = TrendFeatures()

    def forward(self, observations: Tensor) -> Tensor:
        """Return the probability."""
        return self.calibration(self.model(self.trend(self.preparation(observations))[:, 0]))
