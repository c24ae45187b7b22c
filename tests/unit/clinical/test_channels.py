"""The channel table: every code, every column, and nothing mistyped gets past the import."""

from dataclasses import replace

import pytest

from stepdown.clinical.channel import Freshness
from stepdown.clinical.channels import (
    CHANNEL_ORDER,
    CHANNELS,
    GRID_CHANNELS,
    GRID_COLUMN,
    ROWS,
    checked_channels,
    find,
    table_faults,
)
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.intake import GRID_COLUMNS
from stepdown.domain.observations import CodeSystem


def test_the_grid_has_the_columns_of_the_challenge_in_their_order() -> None:
    assert len(GRID_CHANNELS) == GRID_COLUMNS
    assert GRID_CHANNELS[:7] == ("HR", "O2Sat", "Temp", "SBP", "MAP", "DBP", "Resp")
    assert GRID_CHANNELS[-6:] == ("Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS")
    assert GRID_COLUMN["Lactate"] == 22
    assert set(GRID_CHANNELS) <= set(CHANNELS)


def test_every_code_names_its_channel_and_every_channel_its_own_name() -> None:
    for row in ROWS:
        for code in row.loinc:
            coded = find(CodeSystem.LOINC, code)
            assert coded is not None
            assert coded.channel.name == row.name
        named = find(CodeSystem.CINC2019, row.name)
        assert named is not None
        assert named.default_unit == row.unit


def test_a_code_of_another_system_names_nothing() -> None:
    assert find("http://snomed.info/sct", "8867-4") is None
    assert find(CodeSystem.LOINC, "HR") is None
    assert find(CodeSystem.CINC2019, "SepsisLabel") is None


def test_urea_is_not_its_nitrogen() -> None:
    nitrogen, urea = find(CodeSystem.LOINC, "3094-0"), find(CodeSystem.LOINC, "22664-7")
    assert nitrogen is not None
    assert urea is not None
    assert float(nitrogen.units["mg/dL"].conversion.packed([50.0])[0]) == 50.0
    assert float(urea.units["mg/dL"].conversion.packed([50.0])[0]) == 23.32
    assert float(urea.units["mmol/L"].conversion.packed([10.0])[0]) == 28.01


def test_possible_values_enclose_plausible_ones_and_plausible_ones_are_told_from_suspect_ones() -> None:
    for channel in CHANNELS.values():
        for accepted in channel.units.values():
            low, high = max(accepted.soft.low, accepted.hard.low), min(accepted.soft.high, accepted.hard.high)
            assert low < high, channel.name


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"loinc": ("3150-6",)}, "3150-6: LOINC check digit is wrong"),
        ({"loinc": ("59408-5",)}, "59408-5: names two channels"),
        ({"name": "Temp"}, "Temp: described twice"),
        ({"name": "Pulse"}, "HR: grid column without a row"),
    ],
)
def test_a_mistake_in_the_table_is_found(change: dict[str, object], fault: str) -> None:
    first, *others = ROWS
    assert first.name == "HR"
    mistaken = (replace(first, **change), *others)  # type: ignore[arg-type]
    assert fault in table_faults(mistaken)
    with pytest.raises(ConfigurationError) as caught:
        checked_channels(mistaken)
    assert fault in caught.value.problems


def test_the_table_as_it_stands_has_no_fault() -> None:
    assert table_faults(ROWS) == ()


def test_channels_have_one_order_grid_first() -> None:
    assert [name for name, _ in sorted(CHANNEL_ORDER.items(), key=lambda item: item[1])][:40] == list(GRID_CHANNELS)
    assert sorted(CHANNEL_ORDER.values()) == list(range(len(CHANNELS)))


def test_only_what_the_rules_band_is_charted_and_the_vital_signs_of_the_score_are_core() -> None:
    assert {name for name, channel in CHANNELS.items() if channel.core} == {
        "HR",
        "O2Sat",
        "Temp",
        "SBP",
        "Resp",
        "Consciousness",
    }
    assert CHANNELS["Lactate"].freshness is Freshness.LACTATE
    assert {name for name, channel in CHANNELS.items() if channel.resolution is not None} >= {"Temp", "WBC", "GCS"}
