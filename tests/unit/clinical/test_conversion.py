"""Units convert exactly, and values are rounded as a chart rounds them."""

from decimal import Decimal

import pytest

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.conversion import convert, round_half_up


@pytest.mark.parametrize(
    ("channel", "unit", "value", "canonical"),
    [
        ("Temp", "[degF]", 98.6, 37.0),
        ("Temp", "[degF]", 100.49, 38.05),
        ("Temp", "K", 310.15, 37.0),
        ("SBP", "kPa", 16.0, 120.00992),
        ("PaCO2", "kPa", 4.3, 32.252666),
        ("Lactate", "mg/dL", 18.016, 2.0),
        ("Creatinine", "umol/L", 88.4, 1.0),
        ("Bilirubin_total", "umol/L", 17.1, 1.0),
        ("Bilirubin_direct", "umol/L", 34.2, 2.0),
        ("Glucose", "mmol/L", 5.5, 99.088),
        ("BUN", "mmol/L", 10.0, 28.01),
        ("Calcium", "mmol/L", 2.5, 10.02),
        ("Magnesium", "mmol/L", 1.0, 2.431),
        ("Magnesium", "meq/L", 2.0, 2.43),
        ("Phosphate", "mmol/L", 1.0, 3.097),
        ("Potassium", "meq/L", 4.1, 4.1),
        ("HCO3", "meq/L", 24.0, 24.0),
        ("AST", "ukat/L", 1.0, 60.0),
        ("TroponinI", "ng/L", 40.0, 0.04),
        ("Hct", "L/L", 0.31, 31.0),
        ("Hgb", "g/L", 104.0, 10.4),
        ("Hgb", "mmol/L", 10.0, 16.11),
        ("WBC", "10*9/L", 11.4, 11.4),
        ("WBC", "/uL", 11400.0, 11.4),
        ("Platelets", "/uL", 181000.0, 181.0),
        ("Fibrinogen", "g/L", 2.5, 250.0),
        ("FiO2", "%", 40.0, 0.4),
        ("O2Sat", "1", 0.97, 97.0),
        ("OxygenFlow", "mL/min", 2000.0, 2.0),
        ("pH", "nmol/L", 40.0, 7.397940009),
    ],
)
def test_each_unit_of_the_table_becomes_the_canonical_one(
    channel: str, unit: str, value: float, canonical: float
) -> None:
    conversion = CHANNELS[channel].units[unit].conversion
    assert convert(value, conversion) == canonical
    assert conversion.packed([value]) == [canonical]
    assert float(round(conversion.inverse(conversion.exact(Decimal(repr(value)))), 9)) == value


def test_limits_are_known_in_every_unit_ends_included() -> None:
    fahrenheit = CHANNELS["Temp"].units["[degF]"]
    assert (fahrenheit.hard.low, fahrenheit.hard.high) == (50.0, 116.6)
    assert (CHANNELS["Creatinine"].units["umol/L"].soft.low, CHANNELS["Creatinine"].units["umol/L"].soft.high) == (
        float("-inf"),
        1768.0,
    )


def test_where_the_scale_is_turned_round_so_are_the_limits() -> None:
    hydrogen = CHANNELS["pH"].units["nmol/L"].hard
    assert hydrogen.low == pytest.approx(10.0)
    assert hydrogen.high == pytest.approx(501.187, abs=1e-3)


@pytest.mark.parametrize(
    ("fahrenheit", "charted"),
    [
        (95.0, 35.0),
        (95.1, 35.1),
        (96.8, 36.0),
        (97.0, 36.1),
        (100.4, 38.0),
        (100.5, 38.1),
        (102.2, 39.0),
        (102.3, 39.1),
        (100.49, 38.1),
    ],
)
def test_fahrenheit_is_rounded_half_up_after_conversion(fahrenheit: float, charted: float) -> None:
    celsius = convert(fahrenheit, CHANNELS["Temp"].units["[degF]"].conversion)
    assert round_half_up(celsius, Decimal("0.1")) == charted


@pytest.mark.parametrize(
    ("milligrams", "charted"),
    [(18.0, 2.0), (18.5, 2.1), (35.5, 3.9), (35.6, 4.0), (36.0, 4.0), (45.0, 5.0), (9.0, 1.0)],
)
def test_lactate_in_milligrams_is_rounded_half_up_after_conversion(milligrams: float, charted: float) -> None:
    lactate = convert(milligrams, CHANNELS["Lactate"].units["mg/dL"].conversion)
    assert round_half_up(lactate, Decimal("0.1")) == charted


@pytest.mark.parametrize(
    ("value", "resolution", "charted"),
    [(38.05, "0.1", 38.1), (38.04, "0.1", 38.0), (95.5, "1", 96.0), (8.5, "1", 9.0), (2.05, "0.1", 2.1), (0.5, "1", 1)],
)
def test_halves_are_rounded_up_on_decimal_digits(value: float, resolution: str, charted: float) -> None:
    assert round_half_up(value, Decimal(resolution)) == charted
