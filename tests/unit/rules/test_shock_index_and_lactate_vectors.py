"""Worked cases of shock index and lactate; ratios are compared exactly, lactate at one decimal."""

from decimal import Decimal

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.intake import RuleInput
from tests.unit.rules.rule_bundles import MISSING, STALE, given, rule_set


@pytest.mark.parametrize(
    ("heart_rate", "pressure", "ratio", "word", "band"),
    [
        (60, 100, 0.60, "normal", Band.LOW),
        (62, 140, 0.44, "below-usual", Band.LOW),
        (69, 100, 0.69, "normal", Band.LOW),
        (70, 100, 0.70, "raised", Band.MEDIUM),
        (63, 90, 0.70, "raised", Band.MEDIUM),
        (90, 100, 0.90, "raised", Band.MEDIUM),
        (100, 100, 1.00, "high", Band.HIGH),
        (120, 80, 1.50, "high", Band.HIGH),
        (130, 65, 2.00, "high", Band.HIGH),
        (45, 150, 0.30, "below-usual", Band.LOW),
        (75, 120, 0.63, "normal", Band.LOW),
        (110, 110, 1.00, "high", Band.HIGH),
        (99, 110, 0.90, "raised", Band.MEDIUM),
        (140, 200, 0.70, "raised", Band.MEDIUM),
        (50, 100, 0.50, "normal", Band.LOW),
        (49, 100, 0.49, "below-usual", Band.LOW),
        (139, 200, 0.70, "normal", Band.LOW),  # shown as 0.70, compared as 0.695
        (199, 200, 1.00, "raised", Band.MEDIUM),  # shown as 1.00, compared as 0.995
    ],
)
def test_shock_index_compares_exactly_and_shows_two_decimals(
    heart_rate: float, pressure: float, ratio: float, word: str, band: Band
) -> None:
    result = rule_set("shock-index").score(given(HR=float(heart_rate), SBP=float(pressure)))
    assert (result.ratio, result.classification, result.band, result.complete) == (ratio, word, band, True)
    assert result.total is None


@pytest.mark.parametrize(
    ("heart_rate", "pressure", "word"),
    [
        (80, 0, "invalid"),
        (80, -5, "invalid"),
        (0, 120, "invalid"),
        (80, None, "not-assessed"),
        (None, 120, "not-assessed"),
        (80, STALE, "not-assessed"),
        (MISSING, MISSING, "not-assessed"),
    ],
)
def test_shock_index_abstains_without_two_positive_readings(
    heart_rate: float | None, pressure: float | None, word: str
) -> None:
    result = rule_set("shock-index").score(given(HR=heart_rate, SBP=pressure))
    assert (result.ratio, result.classification, result.band, result.complete) == (
        None,
        word,
        Band.INDETERMINATE,
        False,
    )


@pytest.mark.parametrize(
    ("first_s", "second_s", "word"),
    [
        (0.0, 900.0, "raised"),
        (900.0, 0.0, "raised"),
        (0.0, 900.5, "not-assessed"),
        (901.0, 0.0, "not-assessed"),
        (None, 0.0, "not-assessed"),
        (0.0, None, "not-assessed"),
        (float("nan"), 0.0, "not-assessed"),
    ],
)
def test_shock_index_needs_both_readings_within_fifteen_minutes(
    first_s: float | None, second_s: float | None, word: str
) -> None:
    result = rule_set("shock-index").score(
        given(HR=RuleInput(value=70.0, observed_time_s=first_s), SBP=RuleInput(value=100.0, observed_time_s=second_s))
    )
    assert result.classification == word
    assert result.missing == ()


@pytest.mark.parametrize(
    ("value", "word", "band"),
    [
        (0.5, "normal", Band.LOW),
        (1.0, "normal", Band.LOW),
        (2.0, "normal", Band.LOW),
        (2.04, "normal", Band.LOW),
        (2.05, "raised", Band.MEDIUM),
        (2.1, "raised", Band.MEDIUM),
        (3.9, "raised", Band.MEDIUM),
        (3.94, "raised", Band.MEDIUM),
        (3.95, "severe", Band.HIGH),
        (4.0, "severe", Band.HIGH),
    ],
)
def test_lactate_is_classified_at_one_decimal(value: float, word: str, band: Band) -> None:
    result = rule_set("lactate").score(given(Lactate=value))
    assert (result.classification, result.band, result.complete) == (word, band, True)


@pytest.mark.parametrize(
    ("milligrams", "word"),
    [
        ("18", "normal"),
        ("18.5", "raised"),
        ("35.5", "raised"),
        ("35.6", "severe"),
        ("36", "severe"),
        ("45", "severe"),
        ("9.0", "normal"),
    ],
)
def test_lactate_converted_from_milligrams_per_decilitre_is_rounded_before_it_is_classified(
    milligrams: str, word: str
) -> None:
    assert (
        rule_set("lactate").score(given(Lactate=float(Decimal(milligrams) / Decimal("9.008")))).classification == word
    )


@pytest.mark.parametrize("reading", [None, STALE])
def test_a_lactate_that_is_missing_or_old_is_not_assessed_and_never_normal(reading: RuleInput | None) -> None:
    result = rule_set("lactate").score(given(Lactate=reading))
    assert (result.classification, result.band, result.total) == ("not-assessed", Band.INDETERMINATE, None)
