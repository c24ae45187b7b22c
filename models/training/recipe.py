"""How much to simulate and how long to train: the two sizes of a run, and the alert budget every tier is tuned to."""

from dataclasses import dataclass

TRAIN_SEED, VALIDATION_SEED, TEST_SEED, DEMO_SEED = 20190101, 20190202, 20190303, 20190404
VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15

ALERT_BUDGET: dict[str, float] = {"low_medium": 0.20, "medium": 0.08, "high": 0.03}
"""Share of patient-hours at or above each band, alike for every tier: a switch of tier brings no alert storm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One size of training run. Counts of stays apply to simulated data only; a real data set is used whole."""

    name: str
    train_stays: int
    validation_stays: int
    test_stays: int
    teacher_epochs: int
    teacher_windows_per_epoch: int
    teacher_rate: float
    student_hours: int
    student_epochs: int
    calibration_hours: int
    check_windows: int
    bootstrap_replicates: int


RELEASE = Recipe(
    name="release",
    train_stays=65_536,
    validation_stays=6_144,
    test_stays=5_120,
    teacher_epochs=7,
    teacher_windows_per_epoch=12_800,
    teacher_rate=6e-4,
    student_hours=160_000,
    student_epochs=10,
    calibration_hours=60_000,
    check_windows=20_000,
    bootstrap_replicates=300,
)

SMOKE = Recipe(
    name="smoke",
    train_stays=4_096,
    validation_stays=2_048,
    test_stays=1_024,
    teacher_epochs=1,
    teacher_windows_per_epoch=2_560,
    teacher_rate=6e-4,
    student_hours=30_000,
    student_epochs=4,
    calibration_hours=20_000,
    check_windows=4_000,
    bootstrap_replicates=50,
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (RELEASE, SMOKE)}
