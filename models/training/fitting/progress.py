"""How far a training run has come, kept on disk after every epoch so that a kill loses no more than one.

A checkpoint is bound to the data and the recipe it was made with; one made with others is ignored, not continued.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.training.networks.transformer import Transformer


class Progress:
    """A model in training with its optimiser and schedule, the epochs done, and the best epoch so far."""

    def __init__(
        self,
        model: Transformer,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        *,
        file: Path,
        bound_to: str,
    ) -> None:
        """Start at nought, or where `file` was left if it is bound to the same data and recipe."""
        self.model, self.optimiser, self.schedule = model, optimiser, schedule
        self.epochs_done = 0
        self._best = 0.0
        self._best_weights: dict[str, Tensor] = {}
        self._file, self._bound_to = file, bound_to
        if file.exists():
            self._resume(torch.load(file, weights_only=True))

    def finish_epoch(self, score: float) -> None:
        """Note the validation `score` of the epoch that just ended and keep everything on disk."""
        self.epochs_done += 1
        if score > self._best:
            self._best = score
            self._best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        state = {
            "bound_to": self._bound_to,
            "epochs_done": self.epochs_done,
            "best": self._best,
            "best_weights": self._best_weights,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        # Written beside and renamed, so that a kill while saving leaves the epoch before.
        beside = self._file.with_suffix(".partial")
        torch.save(state, beside)
        beside.replace(self._file)

    def restore_best(self) -> None:
        """Give the model the weights of its best epoch."""
        self.model.load_state_dict(self._best_weights)

    def _resume(self, state: dict[str, Any]) -> None:
        if state["bound_to"] != self._bound_to:
            return
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.epochs_done, self._best = state["epochs_done"], state["best"]
        self._best_weights = state["best_weights"]
        print(f"resuming after epoch {self.epochs_done}", flush=True)
