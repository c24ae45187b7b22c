"""Where the stays of a run come from: the simulator, or a folder of the challenge's `.psv` files."""

from dataclasses import dataclass
from pathlib import Path

from models.training.psv import read_folder
from models.training.recipe import (
    TEST_SEED,
    TEST_SHARE,
    TRAIN_SEED,
    VALIDATION_SEED,
    VALIDATION_SHARE,
    Recipe,
)
from models.training.simulation.simulator import simulate
from models.training.stays import Splits, Stays, split


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """`folder` None means simulated stays of the recipe's sizes and fixed seeds."""

    recipe: Recipe
    folder: Path | None = None

    @property
    def description(self) -> str:
        """What the cards and the evaluation say the data are; no path, which could name a person or a site."""
        return "simulated ICU stays" if self.folder is None else "ICU stays in the PhysioNet/CinC 2019 format"

    @property
    def population(self) -> str:
        """The population a score is calibrated for."""
        return "adult ICU stays, simulated" if self.folder is None else "adult ICU stays of the data set trained on"

    def splits(self) -> Splits:
        """Return all three splits."""
        if self.folder is not None:
            return split(read_folder(self.folder), validation_share=VALIDATION_SHARE, test_share=TEST_SHARE)
        return Splits(
            train=simulate(self.recipe.train_stays, seed=TRAIN_SEED).stays,
            validation=self.validation(),
            test=self.test(),
        )

    def validation(self) -> Stays:
        """Return the validation split alone."""
        if self.folder is None:
            return simulate(self.recipe.validation_stays, seed=VALIDATION_SEED).stays
        stays = read_folder(self.folder)
        return split(stays, validation_share=VALIDATION_SHARE, test_share=TEST_SHARE).validation

    def test(self) -> Stays:
        """Return the untouched test split alone."""
        if self.folder is None:
            return simulate(self.recipe.test_stays, seed=TEST_SEED).stays
        return split(read_folder(self.folder), validation_share=VALIDATION_SHARE, test_share=TEST_SHARE).test
