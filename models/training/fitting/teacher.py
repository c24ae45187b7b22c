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
from models.training.metrics.discrimination import Ranking
from models.training.networks.preparation import Preparation
from models.training.networks.transformer import Transformer
from models.training.stays import Stays
from models.training.windows import windows

SEPTIC_SHARE = 0.4
BATCH = 128
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
    """Train, resuming from `checkpoint` if it is there, and return the epoch with the best validation AUROC."""
    torch.manual_seed(recipe.seed)
    model = Transformer()
    optimiser, schedule = _optimiser(model, recipe)
    done, best, best_weights = _resume(checkpoint, model, optimiser, schedule)
    for epoch in range(done, recipe.epochs):
        began = time.monotonic()
        torch.manual_seed(recipe.seed + epoch)
        loss = _epoch(
            train, preparation, model, optimiser, schedule, recipe, np.random.default_rng((recipe.seed, epoch))
        )
        auroc = _auroc(validation, every_hour_logits(validation, preparation, model))
        if auroc > best:
            best, best_weights = auroc, {name: value.clone() for name, value in model.state_dict().items()}
        state = {"epoch": epoch + 1, "best": best, "best_weights": best_weights, "model": model.state_dict(),
                 "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}  # fmt: skip
        _save(state, checkpoint)
        print(f"teacher epoch {epoch + 1}/{recipe.epochs}: loss {loss:.4f}, validation AUROC {auroc:.4f}, "
              f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    model.load_state_dict(best_weights)
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


def _epoch(
    train: Stays,
    preparation: Preparation,
    model: Transformer,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    recipe: TeacherRecipe,
    rng: np.random.Generator,
) -> float:
    model.train()
    total, steps = 0.0, recipe.windows_per_epoch // BATCH
    for _ in range(steps):
        grid, target, counted = _draw(train, rng)
        with torch.no_grad():
            prepared = preparation(grid)
        loss = nn.functional.binary_cross_entropy_with_logits(
            model.every_hour(prepared), target, weight=counted, reduction="sum"
        )
        loss = loss / counted.sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
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


def _resume(
    checkpoint: Path,
    model: Transformer,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> tuple[int, float, dict[str, torch.Tensor]]:
    if not checkpoint.exists():
        return 0, 0.0, dict(model.state_dict())
    state = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    print(f"resuming the teacher after epoch {state['epoch']}", flush=True)
    return int(state["epoch"]), float(state["best"]), dict(state["best_weights"])


def _save(state: dict[str, object], checkpoint: Path) -> None:
    # Written beside and renamed, so that a kill while saving leaves the previous epoch.
    beside = checkpoint.with_suffix(".partial")
    torch.save(state, beside)
    beside.replace(checkpoint)
