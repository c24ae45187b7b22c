"""Fit the additive model to the teacher's probabilities, and its rivals to soft or hard targets, on the same hours."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.fitting.forgetting import forget
from models.training.metrics.discrimination import Ranking
from models.training.networks.preparation import Preparation
from models.training.networks.trend import TrendFeatures
from models.training.stays import Stays
from models.training.windows import windows

BATCH = 512
FEATURE_BATCH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentRecipe:
    """How to fit one student. Early stopping keeps the epoch with the best validation AUROC."""

    epochs: int
    rate: float
    weight_decay: float
    seed: int = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSample:
    """Trend features [n, 12, 40] of some hours and what to learn there [n]."""

    features: Tensor
    target: Tensor


def sample_rows(stays: Stays, *, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return about `count` hours: every positive hour (at most half), the rest drawn from the others."""
    positive, negative = np.flatnonzero(stays.label == 1), np.flatnonzero(stays.label == 0)
    kept = rng.permutation(positive)[: count // 2]
    others = rng.choice(negative, size=min(count - len(kept), len(negative)), replace=False)
    return np.sort(np.concatenate([kept, others]))


@torch.no_grad()
def trend_features(
    stays: Stays, rows: NDArray[np.int64], preparation: Preparation, *, forgetting: np.random.Generator | None = None
) -> Tensor:
    """Return the trend features of `rows`, [len(rows), 12, 40]; with `forgetting`, of windows with parts hidden."""
    trend = TrendFeatures()
    parts = []
    for at in range(0, len(rows), FEATURE_BATCH):
        grid = windows(stays, rows[at : at + FEATURE_BATCH])
        if forgetting is not None:
            forget(grid, forgetting)
        parts.append(trend(preparation(torch.from_numpy(grid)))[:, 0])
    return torch.cat(parts)


def train_student(
    model: nn.Module, *, train: HourSample, validation: HourSample, recipe: StudentRecipe, name: str
) -> nn.Module:
    """Fit `model` with binary cross-entropy (soft or hard targets alike) and return its best epoch."""
    torch.manual_seed(recipe.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * (len(train.target) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps, pct_start=0.2)
    best, kept, best_epoch = 0.0, dict(model.state_dict()), 0
    for epoch in range(recipe.epochs):
        _epoch(model, train, optimiser, schedule)
        auroc = _auroc(model, validation)
        if auroc > best:
            best, best_epoch = auroc, epoch + 1
            kept = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(kept)
    print(f"{name}: best validation AUROC {best:.4f} at epoch {best_epoch}/{recipe.epochs}", flush=True)
    return model.eval()


def _epoch(
    model: nn.Module,
    train: HourSample,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    model.train()
    order = torch.randperm(len(train.target))
    for step in range(len(order) // BATCH):
        chosen = order[step * BATCH : (step + 1) * BATCH]
        logit = model(train.features[chosen])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logit, train.target[chosen])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()


@torch.no_grad()
def _auroc(model: nn.Module, validation: HourSample) -> float:
    model.eval()
    logits = torch.cat([model(part)[:, 0] for part in validation.features.split(8192)]).numpy().astype(np.float64)
    return Ranking.of(logits, validation.target.numpy().astype(np.int8)).auroc(np.ones(len(logits)))
