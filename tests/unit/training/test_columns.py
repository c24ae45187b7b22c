"""The order and the limits of the forty predictors, which every tier and every client relies on."""

import numpy as np

from models.training.columns import COLUMNS, INDEX, LABEL_COLUMN, NAMES, limits, positions, skewed

CHALLENGE_HEADER = (
    "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|BaseExcess|HCO3|FiO2|pH|PaCO2|SaO2|AST|BUN|Alkalinephos|Calcium|Chloride|"
    "Creatinine|Bilirubin_direct|Glucose|Lactate|Magnesium|Phosphate|Potassium|Bilirubin_total|TroponinI|Hct|Hgb|PTT|"
    "WBC|Fibrinogen|Platelets|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel"
)


def test_columns_stand_in_the_order_of_the_challenge() -> None:
    assert "|".join((*NAMES, LABEL_COLUMN)) == CHALLENGE_HEADER


def test_the_published_median_of_every_column_is_possible() -> None:
    lowest, highest = limits()
    medians = np.array([column.median for column in COLUMNS], dtype=np.float32)
    assert np.all(lowest < highest)
    assert np.all((medians >= lowest) & (medians <= highest))


def test_room_air_is_a_possible_inspired_fraction_in_single_precision() -> None:
    lowest, _ = limits()
    assert np.float32(0.21) >= lowest[INDEX["FiO2"]]


def test_positions_follow_the_names_asked_for() -> None:
    assert positions(("ICULOS", "HR", "Lactate")).tolist() == [39, 0, 22]
    assert skewed()[INDEX["Lactate"]]
    assert not skewed()[INDEX["HR"]]
