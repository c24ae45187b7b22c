"""The vectorised NEWS2 of the comparison against the published table."""

import numpy as np
import pytest

from models.training.columns import INDEX
from models.training.evaluation.news2 import News2, carried, news2
from models.training.stays import UNRECORDED, Stays

LOW, LOW_MEDIUM, MEDIUM, HIGH = range(4)
Hour = dict[str, float]


def stay(*hours: Hour) -> Stays:
    predictors = np.full((len(hours), 40), np.nan, dtype=np.float32)
    for row, hour in enumerate(hours):
        for name, value in hour.items():
            if name in INDEX:
                predictors[row, INDEX[name]] = value
    codes = {name: [int(hour.get(name, UNRECORDED)) for hour in hours] for name in ("consciousness", "oxygen")}
    return Stays(
        names=("one",),
        first_row=np.array([0, len(hours)]),
        predictors=predictors,
        consciousness=np.array(codes["consciousness"], dtype=np.int8),
        on_oxygen=np.array(codes["oxygen"], dtype=np.int8),
        label=np.zeros(len(hours), dtype=np.int8),
    )


def hour(resp: float, spo2: float, oxygen: int, sbp: float, pulse: float, consciousness: int, temp: float) -> Hour:
    return {"Resp": resp, "O2Sat": spo2, "oxygen": oxygen, "SBP": sbp, "HR": pulse, "consciousness": consciousness,
            "Temp": temp}  # fmt: skip


@pytest.mark.parametrize(
    ("observed", "total", "band"),
    [
        (hour(16, 98, 0, 120, 75, 0, 37.0), 0, LOW),
        (hour(20, 96, 0, 111, 90, 0, 38.0), 0, LOW),
        (hour(12, 96, 0, 219, 51, 0, 36.1), 0, LOW),
        (hour(24, 94, 0, 101, 110, 0, 39.0), 6, MEDIUM),
        (hour(25, 93, 1, 100, 111, 0, 39.1), 13, HIGH),
        (hour(8, 91, 1, 90, 131, 4, 35.0), 20, HIGH),
        (hour(9, 92, 0, 91, 41, 0, 35.1), 7, HIGH),
        (hour(18, 97, 0, 220, 80, 0, 36.8), 3, LOW_MEDIUM),
        (hour(18, 97, 0, 130, 80, 1, 36.8), 3, LOW_MEDIUM),
        (hour(28, 92, 1, 95, 120, 2, 38.5), 15, HIGH),
        (hour(16, 88, 0, 120, 75, 0, 37.0), 3, LOW_MEDIUM),
    ],
)
def test_complete_hours_score_as_published(observed: Hour, total: int, band: int) -> None:
    result = news2(stay(observed), bedside=True)
    assert (result.lowest[0], result.highest[0]) == (total, total)
    assert (result.lowest_band[0], result.highest_band[0]) == (band, band)


def without(name: str) -> News2:
    observed = hour(16, 98, 0, 120, 75, 0, 37.0)
    del observed[name]
    return news2(stay(observed), bedside=True)


def test_a_missing_parameter_counts_from_nought_to_its_maximum_and_leaves_the_band_open() -> None:
    result = without("Resp")
    assert (result.lowest[0], result.highest[0]) == (0, 3)
    assert not result.determined[0]


def test_missing_oxygen_status_cannot_change_a_low_band() -> None:
    result = without("oxygen")
    assert (result.lowest[0], result.highest[0]) == (0, 2)
    assert result.determined[0]


def test_without_bedside_columns_consciousness_is_unknown_and_oxygen_comes_from_the_fraction() -> None:
    result = news2(stay(hour(16, 98, 0, 120, 75, 4, 37.0) | {"FiO2": 0.4}), bedside=False)
    assert (result.lowest[0], result.highest[0]) == (2, 5)
    room_air = news2(stay(hour(16, 98, 1, 120, 75, 4, 37.0) | {"FiO2": 0.21}), bedside=False)
    assert (room_air.lowest[0], room_air.highest[0]) == (0, 3)


def test_a_value_is_carried_for_six_hours_and_never_into_another_stay() -> None:
    stays = stay({"HR": 80.0}, *({} for _ in range(7)))
    assert np.isnan(carried(stays.predictors[:, 0].astype(np.float64), stays)).tolist() == [False] * 6 + [True] * 2
    two = Stays(
        names=("one", "two"),
        first_row=np.array([0, 1, 8]),
        predictors=stays.predictors,
        consciousness=stays.consciousness,
        on_oxygen=stays.on_oxygen,
        label=stays.label,
    )
    assert np.isnan(carried(two.predictors[:, 0].astype(np.float64), two)).tolist() == [False] + [True] * 7
