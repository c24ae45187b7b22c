"""Train the full model: one loss per hour of a stay, septic stays drawn more often, a checkpoint per epoch."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.training.columns import WINDOW_H
from models.training.fitting.forgetting import forget
from models.training.fitting.progress import Progress
from models.training.metrics.discrimination import Ranking
from models.training.networks.preparation import Preparation
from models.training.networks.transformer import Transformer
from models.training.stays import Stays
from models.training.windows import windows

SEPTIC_SHARE = 0.4
BATCH = 32
LABEL_BATCH = 256
STRIDE_H = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherRecipe:
    """How long and how fast to train. `windows_per_epoch` counts stays drawn with replacement."""

    epochs: int
    windows_per_epoch: int
    peak_rate: float
    additive_rate: float = 4e-3
    weight_decay: float = 0.02
    seed: int = 7


def train_teacher(
    train: Stays, validation: Stays, preparation: Preparation, *, recipe: TeacherRecipe, checkpoint: Path
) -> Transformer:
    """Train, going on from `checkpoint` if it fits, and return the epoch with the best validation AUROC."""
    torch.manual_seed(recipe.seed)
    model = Transformer()
    optimiser, schedule = _optimiser(model, recipe)
    bound_to = f"{train.sha256} {validation.sha256} {recipe}"
    progress = Progress(model, optimiser, schedule, file=checkpoint, bound_to=bound_to)
    while progress.epochs_done < recipe.epochs:
        began = time.monotonic()
        loss = _epoch(train, preparation, progress, recipe)
        auroc = _auroc(validation, every_hour_logits(validation, preparation, model))
        progress.finish_epoch(auroc)
        print(f"teacher epoch {progress.epochs_done}/{recipe.epochs}: loss {loss:.4f}, validation AUROC {auroc:.4f}, "
              f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    progress.restore_best()
    return model.eval()


@torch.no_grad()
def every_hour_logits(stays: Stays, preparation: Preparation, model: Transformer) -> NDArray[np.float32]:
    """Return the logit of every row [R] from few passes: a window ending at hour 47, then one every 24 hours.

    Hours of the first window see all that the served model would see; later ones at least the last 24 hours.
    """
    model.eval()
    ends, spans = _passes(stays)
    logits = np.zeros(len(stays.label), dtype=np.float32)
    for at in range(0, len(ends), LABEL_BATCH):
        batch = ends[at : at + LABEL_BATCH]
        values = model.every_hour(preparation(torch.from_numpy(windows(stays, batch)))).numpy()
        for end, count, row in zip(batch, spans[at : at + LABEL_BATCH], values, strict=True):
            logits[end + 1 - count : end + 1] = row[WINDOW_H - count :]
    return logits


def _passes(stays: Stays) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ends, counts = [], []
    for first, after in zip(stays.first_row[:-1].tolist(), stays.first_row[1:].tolist(), strict=True):
        end = min(first + WINDOW_H, after) - 1
        ends.append(end)
        counts.append(end + 1 - first)
        while end < after - 1:
            following = min(end + STRIDE_H, after - 1)
            ends.append(following)
            counts.append(following - end)
            end = following
    return np.array(ends), np.array(counts)


def _optimiser(
    model: Transformer, recipe: TeacherRecipe
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    wide = list(model.additive.parameters())
    deep = [value for name, value in model.named_parameters() if not name.startswith("additive.")]
    groups = [{"params": deep}, {"params": wide}]
    rates = [recipe.peak_rate, recipe.additive_rate]
    optimiser = torch.optim.AdamW(groups, lr=recipe.peak_rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * (recipe.windows_per_epoch // BATCH)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps, pct_start=0.15)


def _epoch(train: Stays, preparation: Preparation, progress: Progress, recipe: TeacherRecipe) -> float:
    # Seeded by the epoch, so that a run that was interrupted draws what an unbroken one would have drawn.
    torch.manual_seed(recipe.seed + progress.epochs_done)
    rng = np.random.default_rng((recipe.seed, progress.epochs_done))
    model = progress.model.train()
    total, steps = 0.0, recipe.windows_per_epoch // BATCH
    for _ in range(steps):
        grid, target, counted = _draw(train, rng)
        with torch.no_grad():
            prepared = preparation(grid)
        loss = nn.functional.binary_cross_entropy_with_logits(
            model.every_hour(prepared), target, weight=counted, reduction="sum"
        )
        loss = loss / counted.sum()
        progress.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        progress.optimiser.step()
        progress.schedule.step()
        total += float(loss.detach())
    return total / steps


def _draw(train: Stays, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    septic = train.is_septic
    wanted = rng.random(BATCH) < SEPTIC_SHARE
    stay = np.where(wanted, rng.choice(np.flatnonzero(septic), BATCH), rng.choice(np.flatnonzero(~septic), BATCH))
    first, after = train.first_row[stay], train.first_row[stay + 1]
    # A stay longer than the window ends at a random hour; half of those windows are its last, where onset lies.
    latest = after - 1
    earliest = np.minimum(first + WINDOW_H - 1, latest)
    end = np.where(rng.random(BATCH) < 0.5, latest, rng.integers(earliest, latest + 1))  # noqa: PLR2004 -- half
    rows = end[:, None] + np.arange(1 - WINDOW_H, 1)[None, :]
    grid = windows(train, end)
    counted = (rows >= first[:, None]) & forget(grid, rng)
    label = train.label[np.maximum(rows, 0)] * counted
    return (
        torch.from_numpy(grid),
        torch.from_numpy(label.astype(np.float32)),
        torch.from_numpy(counted.astype(np.float32)),
    )


def _auroc(stays: Stays, logits: NDArray[np.float32]) -> float:
    return Ranking.of(logits.astype(np.float64), stays.label).auroc(np.ones(len(logits)))
