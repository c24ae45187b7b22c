"""The worse of two readings is the one that the published charts weigh more."""

import pytest

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.severity import charted, worst


@pytest.mark.parametrize(
    ("channel", "candidates", "chosen"),
    [
        ("HR", (80.0, 95.0), 95.0),
        ("HR", (45.0, 105.0), 105.0),
        ("HR", (41.0, 125.0), 125.0),
        ("HR", (75.0, 60.0), 60.0),
        ("SBP", (100.0, 220.0), 220.0),
        ("SBP", (105.0, 140.0), 105.0),
        ("Resp", (9.0, 22.0), 22.0),
        ("Temp", (35.0, 39.5), 35.0),
        ("Temp", (37.0, 38.05), 38.1),
        ("O2Sat", (91.0, 97.0), 91.0),
        ("Consciousness", (0.0, 1.0, 4.0), 4.0),
        ("GCS", (15.0, 12.0), 12.0),
        ("Lactate", (1.0, 2.4), 2.4),
        ("WBC", (3.9, 11.0), 3.9),
        ("WBC", (8.0, 13.0), 13.0),
        ("PaCO2", (31.0, 60.0), 31.0),
        ("Bands", (4.0, 10.5), 10.5),
    ],
)
def test_the_worst_reading_is_chosen_whatever_the_order(
    channel: str, candidates: tuple[float, ...], chosen: float
) -> None:
    for given in (candidates, candidates[::-1]):
        assert worst(CHANNELS[channel], given, spo2_scale=1, on_oxygen=False) == chosen


@pytest.mark.parametrize(("on_oxygen", "chosen"), [(True, 98.0), (False, 86.0)])
def test_on_scale_2_a_high_saturation_is_bad_only_on_oxygen(*, on_oxygen: bool, chosen: float) -> None:
    assert worst(CHANNELS["O2Sat"], (86.0, 98.0), spo2_scale=2, on_oxygen=on_oxygen) == chosen


def test_a_value_is_charted_at_its_resolution_or_as_given() -> None:
    assert charted(CHANNELS["HR"], 79.5) == 80.0
    assert charted(CHANNELS["PaCO2"], 31.994) == 31.994
