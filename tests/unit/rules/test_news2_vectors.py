"""Worked cases of NEWS2, each added up by hand from the publication, and the known mistakes of other programs."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.scores import ScoreResult
from tests.unit.rules.rule_bundles import STALE, Reading, given, rule_set

AIR, OXYGEN = 0.0, 1.0
NEWS2 = ("Resp", "O2Sat", "SupplementalOxygen", "SBP", "HR", "Consciousness", "Temp")
NORMAL = (16, 98, AIR, 120, 75, "A", 37.0)


def news2(*readings: Reading, scale: int = 1, **more: float | str) -> ScoreResult:
    return rule_set("news2").score(given(scale, **dict(zip(NEWS2, readings, strict=True)), **more))


def points(result: ScoreResult) -> tuple[int | None, ...]:
    return tuple(row.points for row in result.parameters)


@pytest.mark.parametrize(
    ("label", "readings", "scale", "expected", "band"),
    [
        ("N1", NORMAL, 1, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N2 upper zero edges", (20, 96, AIR, 111, 90, "A", 38.0), 1, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N3 lower zero edges", (12, 96, AIR, 219, 51, "A", 36.1), 1, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N5", (24, 94, AIR, 101, 110, "A", 39.0), 1, (2, 1, 0, 1, 1, 0, 1), Band.MEDIUM),
        ("N6", (25, 93, OXYGEN, 100, 111, "A", 39.1), 1, (3, 2, 2, 2, 2, 0, 2), Band.HIGH),
        ("N7 maximum", (8, 91, OXYGEN, 90, 131, "U", 35.0), 1, (3, 3, 2, 3, 3, 3, 3), Band.HIGH),
        ("N8 no single three", (9, 92, AIR, 91, 41, "A", 35.1), 1, (1, 2, 0, 2, 1, 0, 1), Band.HIGH),
        ("N10", (18, 97, AIR, 220, 80, "A", 36.8), 1, (0, 0, 0, 3, 0, 0, 0), Band.LOW_MEDIUM),
        ("N11", (18, 97, AIR, 130, 80, "C", 36.8), 1, (0, 0, 0, 0, 0, 3, 0), Band.LOW_MEDIUM),
        ("N13", (28, 92, OXYGEN, 95, 120, "V", 38.5), 1, (3, 2, 2, 2, 2, 3, 1), Band.HIGH),
        ("N15", (16, 88, AIR, 120, 75, "A", 37.0), 1, (0, 3, 0, 0, 0, 0, 0), Band.LOW_MEDIUM),
        ("N16", (16, 88, AIR, 120, 75, "A", 37.0), 2, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N17", (16, 93, AIR, 120, 75, "A", 37.0), 2, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N18", (16, 98, AIR, 120, 75, "A", 37.0), 2, (0, 0, 0, 0, 0, 0, 0), Band.LOW),
        ("N20", (16, 95, OXYGEN, 120, 75, "A", 37.0), 2, (0, 2, 2, 0, 0, 0, 0), Band.LOW),
        ("N22", (16, 92, OXYGEN, 120, 75, "A", 37.0), 2, (0, 0, 2, 0, 0, 0, 0), Band.LOW),
        ("N23 87", (16, 87, AIR, 120, 75, "A", 37.0), 2, (0, 1, 0, 0, 0, 0, 0), Band.LOW),
        ("N23 85", (16, 85, AIR, 120, 75, "A", 37.0), 2, (0, 2, 0, 0, 0, 0, 0), Band.LOW),
        ("N23 83", (16, 83, AIR, 120, 75, "A", 37.0), 2, (0, 3, 0, 0, 0, 0, 0), Band.LOW_MEDIUM),
        ("single three and one more", (16, 88, AIR, 120, 91, "A", 37.0), 1, (0, 3, 0, 0, 1, 0, 0), Band.LOW_MEDIUM),
        ("single three within five", (16, 88, OXYGEN, 120, 75, "A", 37.0), 1, (0, 3, 2, 0, 0, 0, 0), Band.MEDIUM),
        ("six without a three", (21, 92, OXYGEN, 120, 75, "A", 37.0), 1, (2, 2, 2, 0, 0, 0, 0), Band.MEDIUM),
        ("seven exactly", (21, 92, OXYGEN, 120, 91, "A", 37.0), 1, (2, 2, 2, 0, 1, 0, 0), Band.HIGH),
        # The worked cases of a public guideline repository and of an emergency-department profile.
        ("GDL 19", (27, 98, OXYGEN, 230, 150, "U", 40.0), 2, (3, 3, 2, 3, 3, 3, 2), Band.HIGH),
        ("GDL 17", (10, 98, OXYGEN, 230, 150, "U", 40.0), 2, (1, 3, 2, 3, 3, 3, 2), Band.HIGH),
        ("GDL 14", (20, 98, OXYGEN, 105, 150, "U", 40.0), 2, (0, 3, 2, 1, 3, 3, 2), Band.HIGH),
        ("ED profile", (22, 93, AIR, 120, 100, "A", 38.5), 1, (2, 2, 0, 0, 1, 0, 1), Band.MEDIUM),
    ],
)
def test_news2_adds_up_as_by_hand(
    label: str, readings: tuple[float | str, ...], scale: int, expected: tuple[int, ...], band: Band
) -> None:
    result = news2(*readings, scale=scale)
    assert (points(result), result.total, result.band) == (expected, sum(expected), band), label
    assert (result.minimum_total, result.maximum_total, result.complete, result.missing) == (
        sum(expected),
        sum(expected),
        True,
        (),
    )
    assert result.maximum_possible == 20


@pytest.mark.parametrize(
    ("label", "readings", "scale", "bounds", "band"),
    [
        ("N24 respiration missing", (None, 98, AIR, 120, 75, "A", 37.0), 1, (0, 3), Band.INDETERMINATE),
        ("N27 oxygen missing", (16, 98, None, 120, 75, "A", 37.0), 1, (0, 2), Band.LOW),
        ("temperature missing", (16, 98, AIR, 120, 75, "A", None), 1, (0, 3), Band.INDETERMINATE),
        ("oxygen missing at 3", (21, 95, None, 120, 75, "A", 37.0), 1, (3, 5), Band.INDETERMINATE),
        ("nothing missing", (21, 92, AIR, 110, 75, "A", 37.0), 1, (5, 5), Band.MEDIUM),
        ("high whatever is missing", (25, 91, AIR, 100, None, None, None), 1, (8, 17), Band.HIGH),
        ("seven at least", (25, 92, OXYGEN, None, 75, "A", 37.0), 1, (7, 10), Band.HIGH),
        ("six at least", (25, 94, OXYGEN, None, 75, "A", 37.0), 1, (6, 9), Band.INDETERMINATE),
        ("medium: oxygen cannot reach seven", (21, 94, None, 101, 75, "A", 37.0), 1, (4, 6), Band.INDETERMINATE),
        ("scale 2, oxygen missing at 98", (16, 98, None, 120, 75, "A", 37.0), 2, (0, 5), Band.INDETERMINATE),
        ("scale 2, oxygen missing at 90", (16, 90, None, 120, 75, "A", 37.0), 2, (0, 2), Band.LOW),
        ("scale 2, oxygen and SpO2 missing", (16, None, None, 120, 75, "A", 37.0), 2, (0, 5), Band.INDETERMINATE),
        ("nothing known", (None, None, None, None, None, None, None), 1, (0, 20), Band.INDETERMINATE),
        ("only a stale pulse", (None, None, None, None, STALE, None, None), 1, (0, 20), Band.INDETERMINATE),
    ],
)
def test_news2_bounds_what_is_missing(
    label: str,
    readings: tuple[Reading, ...],
    scale: int,
    bounds: tuple[int, int],
    band: Band,
) -> None:
    result = news2(*readings, scale=scale)
    assert (result.minimum_total, result.maximum_total, result.band) == (*bounds, band), label
    assert result.complete == (None not in readings and STALE not in readings)
    assert (result.total is None) == (not result.complete)


def test_news2_a_low_band_with_a_reachable_single_three_is_not_given() -> None:
    """4 at most, yet the missing consciousness could be a three by itself: LOW and LOW_MEDIUM are both possible."""
    result = news2(9, 96, AIR, 120, 75, None, 37.0)
    assert (result.minimum_total, result.maximum_total) == (1, 4)
    assert result.band is Band.INDETERMINATE


@pytest.mark.parametrize(("gcs", "expected"), [(15, 0), (14, 3), (3, 3)])
def test_news2_reads_the_coma_scale_where_acvpu_is_missing(gcs: int, expected: int) -> None:
    result = news2(16, 98, AIR, 120, 75, None, 37.0, GCS=float(gcs))
    row = result.parameters[5]
    assert (row.parameter, row.value, row.points, result.total) == ("GCS", gcs, expected, expected)


def test_news2_new_confusion_counts_although_the_coma_scale_is_full() -> None:
    result = news2(16, 98, AIR, 120, 75, "C", 37.0, GCS=15.0)
    assert (result.parameters[5].parameter, result.total) == ("Consciousness", 3)


@pytest.mark.parametrize(
    ("fahrenheit", "celsius", "expected"),
    [
        ("95.0", "35.0", 3),
        ("95.1", "35.1", 1),
        ("96.8", "36.0", 1),
        ("97.0", "36.1", 0),
        ("100.4", "38.0", 0),
        ("100.5", "38.1", 1),
        ("102.2", "39.0", 1),
        ("102.3", "39.1", 2),
    ],
)
def test_news2_temperature_edges_reached_through_fahrenheit(fahrenheit: str, celsius: str, expected: int) -> None:
    converted = (Decimal(fahrenheit) - 32) * 5 / 9
    assert converted.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP) == Decimal(celsius)
    for reading in (float(converted), float(celsius)):  # the rule rounds what intake did not
        assert news2(16, 98, AIR, 120, 75, "A", reading).parameters[6].points == expected


@pytest.mark.parametrize("saturation", [93.0, 95.0, 97.0])
def test_news2_does_not_repeat_the_public_mistake_of_scoring_scale_2_on_air(saturation: float) -> None:
    """A public test-suite expects 1, 2 and 3 here."""
    assert news2(16, saturation, AIR, 120, 75, "A", 37.0, scale=2).total == 0


def test_news2_does_not_repeat_the_public_mistake_of_calling_a_single_three_high() -> None:
    assert news2(8, 98, AIR, 120, 75, "A", 37.0).band is Band.LOW_MEDIUM


@pytest.mark.parametrize("readings", [(21, 95, AIR, 120, 75, "A", 37.0), (21, 94, AIR, 101, 75, "A", 37.0)])
def test_news2_does_not_repeat_the_public_mistake_of_calling_three_or_four_medium(
    readings: tuple[float | str, ...],
) -> None:
    result = news2(*readings)
    assert result.total in (3, 4)
    assert result.band is Band.LOW


@pytest.mark.parametrize(("channel", "value", "expected"), [("O2Sat", 91.5, 2), ("Resp", 8.5, 1), ("O2Sat", 91.4, 3)])
def test_news2_leaves_no_gap_between_integer_bands(channel: str, value: float, expected: int) -> None:
    """A public guideline leaves 91.5 % and 8.5 /min without points."""
    result = rule_set("news2").score(given(**{channel: value}))
    assert [row.points for row in result.parameters if row.parameter == channel] == [expected]


def test_news2_never_takes_a_missing_reading_for_zero_points_nor_for_the_number_zero() -> None:
    """Public implementations do the one (0 points) or the other (3 points)."""
    result = news2(None, 98, AIR, 120, 75, "A", 37.0)
    assert (result.parameters[0].points, result.total) == (None, None)
    assert (result.parameters[0].minimum_points, result.parameters[0].maximum_points) == (0, 3)
