"""One training run: scaling, checks, teacher, soft targets, students, calibration; the result is a set of modules ready to export."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.training.fitting.scaling import fit_checks, fit_scaling
from models.training.fitting.students import (
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
    """Fit every model on `splits.train`, choosing and calibrating on `splits.validation`; `splits.test` is not looked at."""
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
        recipe=TeacherRecipe(
            epochs=recipe.teacher_epochs,
            windows_per_epoch=recipe.teacher_windows_per_epoch,
            peak_rate=recipe.teacher_rate,
        ),
        checkpoint=work / TEACHER_CHECKPOINT,
    )
    hours = rng.choice(
        len(splits.validation.label), min(recipe.calibration_hours, len(splits.validation.label)), replace=False
    )
    calibrate = _Calibrator(stays=splits.validation, rows=np.sort(hours))
    students = _fit_students(splits, preparation, teacher, recipe=recipe, rng=rng, hours=calibrate.rows)
    additive = students.pop("distilled")
    if not isinstance(additive, AdditiveModel):
        raise TypeError("the distilled model is the additive one")
    return FittedModels(
        full=ServedTransformer(
            preparation=preparation,
            model=teacher,
            checks=checks,
            calibration=calibrate.transformer(preparation, teacher),
        ),
        distilled=ServedAdditive(
            preparation=preparation,
            model=additive,
            checks=checks,
            calibration=calibrate.feature_model(preparation, additive),
        ),
        baselines={
            name: ServedFeatureModel(
                preparation=preparation, model=model, calibration=calibrate.feature_model(preparation, model)
            )
            for name, model in students.items()
        },
    )


def _fit_students(
    splits: Splits,
    preparation: Preparation,
    teacher: Transformer,
    *,
    recipe: Recipe,
    rng: np.random.Generator,
    hours: NDArray[np.int64],
) -> dict[str, nn.Module]:
    train = splits.train
    soft = 1 / (1 + np.exp(-every_hour_logits(train, preparation, teacher)))
    rows = sample_rows(train, count=recipe.student_hours, rng=rng)
    features = trend_features(train, rows, preparation)
    targets = {"soft": torch.from_numpy(soft[rows]), "hard": torch.from_numpy(train.label[rows].astype(np.float32))}
    validation = HourSample(
        features=trend_features(splits.validation, hours, preparation),
        target=torch.from_numpy(splits.validation.label[hours].astype(np.float32)),
    )
    plans = {
        "distilled": (AdditiveModel, "additive", "soft"),
        "additive-hard-labels": (AdditiveModel, "additive", "hard"),
        "perceptron": (PerceptronModel, "perceptron", "soft"),
        "perceptron-hard-labels": (PerceptronModel, "perceptron", "hard"),
        "linear-hard-labels": (LinearModel, "linear", "hard"),
    }
    students = {}
    for name, (build, settings, target) in plans.items():
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

    def transformer(self, preparation: Preparation, model: Transformer) -> Calibration:
        with torch.no_grad():
            logits = [
                model(preparation(torch.from_numpy(windows(self.stays, self.rows[at : at + BATCH]))))[:, 0]
                for at in range(0, len(self.rows), BATCH)
            ]
        return self._fit(torch.cat(logits))

    def feature_model(self, preparation: Preparation, model: nn.Module) -> Calibration:
        features = trend_features(self.stays, self.rows, preparation)
        with torch.no_grad():
            return self._fit(torch.cat([model(part)[:, 0] for part in features.split(8192)]))

    def _fit(self, logits: torch.Tensor) -> Calibration:
        fitted = fit_logistic(logits.numpy().astype(np.float64), self.stays.label[self.rows])
        return Calibration(slope=fitted.slope, intercept=fitted.intercept)
