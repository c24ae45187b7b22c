"""The simulator: reproducible, like the challenge's data in shape, coherent, and without a clock to learn."""

from functools import cache

import numpy as np
import pytest

from models.training.columns import INDEX, LABORATORY, VITALS, limits, positions
from models.training.metrics.discrimination import Ranking
from models.training.simulation.courses import LABEL_LEAD_H, RECORD_AFTER_ONSET_H
from models.training.simulation.simulator import SimulatedStays, simulate
from models.training.stays import Stays

Column = np.ndarray[tuple[int], np.dtype[np.float32]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


@cache
def simulated() -> SimulatedStays:
    return simulate(4_096, seed=77)


@pytest.fixture
def stays() -> Stays:
    return simulated().stays


@pytest.fixture
def story(stays: Stays) -> dict[str, Flags]:
    return {name: flags[stays.stay_of_row] for name, flags in simulated().story.items()}


# column: median and share missing of the challenge's training sets A and B, and how far a simulated median may be off
PUBLISHED = {
    "HR": (83.5, 0.0988, 3), "O2Sat": (98, 0.1306, 1), "Temp": (37.0, 0.6616, 0.2), "SBP": (121, 0.1458, 5),
    "MAP": (80, 0.1245, 5), "DBP": (62, 0.3135, 3), "Resp": (18, 0.1535, 1), "EtCO2": (33, 0.9629, 3),
    "BaseExcess": (0, 0.9458, 1), "HCO3": (24, 0.9581, 1.5), "FiO2": (0.5, 0.9167, 0.11), "pH": (7.38, 0.9307, 0.03),
    "PaCO2": (40, 0.9444, 3), "SaO2": (97, 0.9655, 1.5), "AST": (41, 0.9838, 8), "BUN": (17, 0.9313, 2),
    "Alkalinephos": (74, 0.9839, 8), "Calcium": (8.3, 0.9412, 0.3), "Chloride": (106, 0.9546, 1.5),
    "Creatinine": (0.94, 0.9390, 0.1), "Bilirubin_direct": (0.445, 0.9981, 0.2), "Glucose": (127, 0.8289, 8),
    "Lactate": (1.8, 0.9733, 0.3), "Magnesium": (2.0, 0.9369, 0.1), "Phosphate": (3.3, 0.9599, 0.3),
    "Potassium": (4.1, 0.9069, 0.2), "Bilirubin_total": (0.9, 0.9851, 0.2), "TroponinI": (0.3, 0.9905, 0.15),
    "Hct": (30.3, 0.9115, 1.5), "Hgb": (10.3, 0.9262, 0.5), "PTT": (32.4, 0.9706, 2), "WBC": (10.3, 0.9359, 1),
    "Fibrinogen": (250, 0.9934, 35), "Platelets": (181, 0.9406, 12), "Age": (64, 0.0, 3), "Unit1": (0.5, 0.3943, 0.51),
}  # fmt: skip


def column(name: str) -> Column:
    return simulated().stays.predictors[:, INDEX[name]]


def auroc(score: Column) -> float:
    label = simulated().stays.label
    return Ranking.of(score.astype(np.float64), label).auroc(np.ones(len(label)))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert simulate(64, seed=5).stays.sha256 == simulate(64, seed=5).stays.sha256
    assert simulate(64, seed=5).stays.sha256 != simulate(64, seed=6).stays.sha256


def test_a_longer_data_set_begins_with_the_shorter_one() -> None:
    longer = simulate(2_100, seed=5).stays
    assert longer.select(np.arange(64)).sha256 == simulate(64, seed=5).stays.sha256


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_medians_and_missingness_are_near_the_published_ones(name: str) -> None:
    median, missing, tolerance = PUBLISHED[name]
    value = column(name)
    assert np.nanmedian(value) == pytest.approx(median, abs=tolerance)
    assert np.isnan(value).mean() == pytest.approx(missing, abs=0.03)


def test_stays_are_as_long_and_as_often_septic_as_intended(stays: Stays) -> None:
    lengths = np.diff(stays.first_row)
    assert lengths.min() >= 8
    assert 33 <= np.median(lengths) <= 41
    assert 0.08 <= stays.is_septic.mean() <= 0.12
    assert 0.018 <= stays.label.mean() <= 0.030


def test_labels_are_the_challenges_one_run_that_ends_the_record(stays: Stays) -> None:
    for stay in np.flatnonzero(stays.is_septic):
        label = stays.label[stays.first_row[stay] : stays.first_row[stay + 1]]
        first = int(np.argmax(label))
        assert label[first:].all()
        assert len(label) - first <= LABEL_LEAD_H + RECORD_AFTER_ONSET_H + 1


def test_every_value_is_possible(stays: Stays) -> None:
    lowest, highest = limits()
    value = stays.predictors
    assert np.all(np.isnan(value) | ((value >= lowest) & (value <= highest)))


def test_the_time_of_the_stay_alone_tells_nothing() -> None:
    assert 0.46 <= auroc(column("ICULOS")) <= 0.56


def test_the_number_of_observations_alone_tells_little(stays: Stays) -> None:
    counted = (~np.isnan(stays.predictors[:, positions((*VITALS, *LABORATORY))])).sum(axis=1)
    begin = np.repeat(stays.first_row[:-1], np.diff(stays.first_row))
    total = np.concatenate([[0], np.cumsum(counted)])
    per_hour = (total[np.arange(len(counted)) + 1] - total[begin]) / (stays.hour_of_row + 1)
    assert 0.46 <= auroc(per_hour) <= 0.60
    assert 0.46 <= auroc(counted) <= 0.60


def test_onset_is_no_likelier_late_than_early_among_stays_still_there(stays: Stays) -> None:
    rates = [stays.label[(stays.hour_of_row >= low) & (stays.hour_of_row < high)].mean()
             for low, high in ((8, 16), (16, 24), (24, 32), (32, 40), (40, 60))]  # fmt: skip
    assert max(rates) / min(rates) < 1.6


def test_septic_stays_are_not_longer_than_their_truncation_explains(stays: Stays) -> None:
    lengths = np.diff(stays.first_row)
    # Cut at onset they are a little shorter at most; much longer would mean onset was drawn from the length.
    assert np.median(lengths[stays.is_septic]) <= np.median(lengths[~stays.is_septic]) + 4


def test_pressures_haematocrit_and_blood_gases_fit_together() -> None:
    low, mean, high = column("DBP"), column("MAP"), column("SBP")
    together = ~np.isnan(low + mean + high)
    assert np.all(low[together] < high[together])
    assert np.nanpercentile(np.abs(mean - (high + 2 * low) / 3), 99) < 8
    assert np.nanpercentile(np.abs(column("Hct") - 3 * column("Hgb")), 99) < 5
    expected = 6.1 + np.log10(column("HCO3") / (0.0307 * column("PaCO2")))
    assert np.nanpercentile(np.abs(column("pH") - expected), 99) < 0.08


def test_chronic_conditions_move_baselines(story: dict[str, Flags]) -> None:
    quiet = ~(story["sepsis"] | story["respiratory_failure"])
    copd = story["copd"] & quiet & ~story["ventilated"]
    assert 88 <= np.nanmedian(column("O2Sat")[copd]) <= 93
    kidney = story["kidney_disease"]
    assert np.nanmedian(column("Creatinine")[kidney]) > 1.9 * np.nanmedian(column("Creatinine")[~kidney])
    blocked = story["beta_blocked"]
    assert np.nanmedian(column("HR")[blocked]) < np.nanmedian(column("HR")[~blocked]) - 8


def test_a_beta_blocked_heart_hardly_answers_sepsis(stays: Stays, story: dict[str, Flags]) -> None:
    def rise(who: Flags) -> float:
        positive, earlier = who & (stays.label == 1), who & (stays.label == 0)
        return float(np.nanmean(column("HR")[positive]) - np.nanmean(column("HR")[earlier]))

    septic = story["sepsis"]
    assert rise(septic & ~story["beta_blocked"]) > 2 * rise(septic & story["beta_blocked"])


def test_no_single_channel_tells_sepsis_from_its_mimics() -> None:
    channels = {"HR": 1, "Temp": 1, "Resp": 1, "MAP": -1, "SBP": -1, "O2Sat": -1}
    for name, sign in channels.items():
        value = column(name)
        filled = np.where(np.isnan(value), np.nanmedian(value), value)
        assert 0.5 < auroc(sign * filled) < 0.72, name


def test_bedside_observations_follow_the_patient(stays: Stays, story: dict[str, Flags]) -> None:
    assert np.mean(stays.consciousness > 0) == pytest.approx(0.18, abs=0.08)
    assert stays.on_oxygen.mean() == pytest.approx(0.34, abs=0.08)
    confused = story["delirium"] & ~story["ventilated"]
    assert np.mean(stays.consciousness[confused] > 0) > 2 * np.mean(
        stays.consciousness[~confused & ~story["ventilated"]] > 0
    )
