"""One training run: scaling, checks, teacher, soft targets, students, calibration.

The result is a set of modules ready to export.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.training.fitting.scaling import fit_checks, fit_scaling
from models.training.fitting.students import (
    FEATURE_BATCH,
    HourSample,
    StudentRecipe,
    sample_rows,
    train_student,
    trend_features,
)
from models.training.fitting.teacher import TeacherRecipe, every_hour_logits, train_teacher
from models.training.metrics.calibration import fit_logistic
from models.training.networks.additive import AdditiveModel, LinearModel, PerceptronModel
from models.training.networks.preparation import Preparation
from models.training.networks.served import Calibration, ServedAdditive, ServedFeatureModel, ServedTransformer
from models.training.networks.transformer import Transformer
from models.training.recipe import Recipe
from models.training.stays import Splits, Stays
from models.training.windows import windows

SEED = 20190505
BATCH = 256
TEACHER_CHECKPOINT = "teacher.pt"
STUDENTS: dict[str, StudentRecipe] = {
    "additive": StudentRecipe(epochs=0, rate=4e-3, weight_decay=1e-2),
    "perceptron": StudentRecipe(epochs=0, rate=1e-3, weight_decay=3e-2),
    "linear": StudentRecipe(epochs=0, rate=2e-3, weight_decay=1e-2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModels:
    """Modules from raw grid to outputs, calibrated. `baselines` are rows of the comparison, never served."""

    full: ServedTransformer
    distilled: ServedAdditive
    baselines: dict[str, ServedFeatureModel]


def fit(splits: Splits, *, recipe: Recipe, work: Path) -> FittedModels:
    """Fit every model on the train split, choosing and calibrating on validation; the test split is not looked at."""
    work.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(mode=True)
    rng = np.random.default_rng(SEED)
    scaling = fit_scaling(splits.train)
    preparation = Preparation(scaling.centre, scaling.spread)
    checks = fit_checks(splits.train, preparation, sample=recipe.check_windows, rng=rng)
    teacher = train_teacher(
        splits.train,
        splits.validation,
        preparation,
        recipe=_teacher_recipe(recipe),
        checkpoint=work / TEACHER_CHECKPOINT,
    )
    calibrator = _Calibrator.draw(splits.validation, recipe.calibration_hours, preparation, rng)
    students = _fit_students(splits, preparation, teacher, recipe=recipe, rng=rng, hours=calibrator.rows)
    distilled = students.pop("distilled")
    if not isinstance(distilled, AdditiveModel):
        raise TypeError("the distilled model is the additive one")
    parts = {"preparation": preparation, "checks": checks}
    return FittedModels(
        full=ServedTransformer(model=teacher, calibration=calibrator.of_transformer(teacher), **parts),
        distilled=ServedAdditive(model=distilled, calibration=calibrator.of_feature_model(distilled), **parts),
        baselines={
            name: ServedFeatureModel(
                preparation=preparation, model=model, calibration=calibrator.of_feature_model(model)
            )
            for name, model in students.items()
        },
    )


def _teacher_recipe(recipe: Recipe) -> TeacherRecipe:
    return TeacherRecipe(
        epochs=recipe.teacher_epochs,
        windows_per_epoch=recipe.teacher_windows_per_epoch,
        peak_rate=recipe.teacher_rate,
    )


# Each student's network, the settings it trains with, and what it learns from.
STUDENT_PLANS = {
    "distilled": (AdditiveModel, "additive", "both"),
    "additive-teacher-only": (AdditiveModel, "additive", "teacher"),
    "additive-hard-labels": (AdditiveModel, "additive", "labels"),
    "perceptron": (PerceptronModel, "perceptron", "both"),
    "linear-hard-labels": (LinearModel, "linear", "labels"),
}


def _fit_students(
    splits: Splits,
    preparation: Preparation,
    teacher: Transformer,
    *,
    recipe: Recipe,
    rng: np.random.Generator,
    hours: NDArray[np.int64],
) -> dict[str, nn.Module]:
    # Half teacher, half label (Hinton et al. 2015): alone, the teacher hands down what it got wrong too.
    train = splits.train
    soft = 1 / (1 + np.exp(-every_hour_logits(train, preparation, teacher)))
    rows = sample_rows(train, count=recipe.student_hours, rng=rng)
    features = trend_features(train, rows, preparation, forgetting=rng)
    teacher_says, label = torch.from_numpy(soft[rows]), torch.from_numpy(train.label[rows].astype(np.float32))
    targets = {"both": (teacher_says + label) / 2, "teacher": teacher_says, "labels": label}
    validation = HourSample(
        features=trend_features(splits.validation, hours, preparation),
        target=torch.from_numpy(splits.validation.label[hours].astype(np.float32)),
    )
    students = {}
    for name, (build, settings, target) in STUDENT_PLANS.items():
        base = STUDENTS[settings]
        torch.manual_seed(base.seed)
        students[name] = train_student(
            build(),
            train=HourSample(features=features, target=targets[target]),
            validation=validation,
            recipe=StudentRecipe(epochs=recipe.student_epochs, rate=base.rate, weight_decay=base.weight_decay),
            name=name,
        )
    for model in students.values():
        if isinstance(model, AdditiveModel):
            model.centre_on(validation.features)
    return students


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calibrator:
    """Platt scaling on hours of the validation split as they come, not enriched."""

    stays: Stays
    rows: NDArray[np.int64]
    preparation: Preparation

    @classmethod
    def draw(cls, stays: Stays, count: int, preparation: Preparation, rng: np.random.Generator) -> Self:
        rows = rng.choice(len(stays.label), min(count, len(stays.label)), replace=False)
        return cls(stays=stays, rows=np.sort(rows), preparation=preparation)

    @torch.no_grad()
    def of_transformer(self, model: Transformer) -> Calibration:
        batches = (self.rows[at : at + BATCH] for at in range(0, len(self.rows), BATCH))
        logits = [model(self.preparation(torch.from_numpy(windows(self.stays, batch))))[:, 0] for batch in batches]
        return self._fit(torch.cat(logits))

    @torch.no_grad()
    def of_feature_model(self, model: nn.Module) -> Calibration:
        features = trend_features(self.stays, self.rows, self.preparation)
        return self._fit(torch.cat([model(part)[:, 0] for part in features.split(8 * FEATURE_BATCH)]))

    def _fit(self, logits: torch.Tensor) -> Calibration:
        fitted = fit_logistic(logits.numpy().astype(np.float64), self.stays.label[self.rows])
        return Calibration(slope=fitted.slope, intercept=fitted.intercept)
