"""Worked cases of qSOFA, SIRS and MEWS, each added up by hand from the publication."""

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.intake import RuleInputs
from stepdown.domain.scores import ScoreResult
from tests.unit.rules.rule_bundles import Reading, given, rule_set


def named(channels: tuple[str, ...], readings: tuple[Reading, ...]) -> RuleInputs:
    return given(**dict(zip(channels, readings, strict=True)))


def points(result: ScoreResult) -> tuple[int | None, ...]:
    return tuple(row.points for row in result.parameters)


@pytest.mark.parametrize(
    ("label", "resp", "sbp", "gcs", "score"),
    [
        ("Q1", 16, 120, 15, 0),
        ("Q2", 22, 120, 15, 1),
        ("Q3", 21, 101, 15, 0),
        ("Q4", 16, 100, 15, 1),
        ("Q5", 16, 120, 14, 1),
        ("Q6", 22, 100, 15, 2),
        ("Q8", 16, 100, 13, 2),
        ("Q9", 22, 100, 14, 3),
        ("Q10", 35, 70, 3, 3),
        ("Q11", 21, 100, 15, 1),
        ("Q12", 24, 95, 15, 2),
    ],
)
def test_qsofa_counts_its_criteria(label: str, resp: float, sbp: float, gcs: float, score: int) -> None:
    result = rule_set("qsofa").score(given(Resp=resp, SBP=sbp, GCS=gcs))
    assert (result.total, result.maximum_possible) == (score, 3), label
    positive = score >= 2
    assert (result.classification, result.band) == (("positive", Band.MEDIUM) if positive else ("negative", Band.LOW))


@pytest.mark.parametrize(
    ("label", "readings", "bounds", "word", "band"),
    [
        ("Q13", {"Resp": 22.0, "GCS": 15.0}, (1, 2), "indeterminate", Band.INDETERMINATE),
        ("positive whatever is missing", {"Resp": 22.0, "SBP": 100.0}, (2, 3), "positive", Band.MEDIUM),
        ("negative whatever is missing", {"Resp": 16.0, "SBP": 120.0}, (0, 1), "negative", Band.LOW),
        ("nothing known", {}, (0, 3), "indeterminate", Band.INDETERMINATE),
    ],
)
def test_qsofa_is_called_only_where_the_bounds_agree(
    label: str, readings: dict[str, float], bounds: tuple[int, int], word: str, band: Band
) -> None:
    result = rule_set("qsofa").score(given(**readings))
    assert (result.minimum_total, result.maximum_total, result.classification, result.band) == (*bounds, word, band), (
        label
    )
    assert not result.complete


def test_qsofa_takes_either_sign_of_altered_mentation() -> None:
    for gcs, code in ((15.0, "V"), (14.0, "A")):
        assert rule_set("qsofa").score(given(Resp=16.0, SBP=120.0, GCS=gcs, Consciousness=code)).total == 1


SIRS = ("Temp", "HR", "Resp", "PaCO2", "WBC", "Bands")


@pytest.mark.parametrize(
    ("label", "readings", "bounds", "word"),
    [
        ("S1", (37.0, 80, 16, 40, 8, 0), (0, 0), "negative"),
        ("S2 all at the limit", (38.0, 90, 20, 32, 12.0, 10), (0, 0), "negative"),
        ("S3", (38.1, 91, 21, 40, 12.1, 0), (4, 4), "positive"),
        ("S4", (36.0, 80, 16, 40, 4.0, None), (0, 0), "negative"),
        ("S5", (35.9, 80, 16, 40, 3.9, None), (2, 2), "positive"),
        ("S7 one item", (37, 80, 24, 31, 8, None), (1, 1), "negative"),
        ("S8", (37, 80, 16, 40, 8, 11), (1, 1), "negative"),
        ("S9 one item, not two", (37, 80, 16, 40, 15, 12), (1, 1), "negative"),
        ("S10", (38.5, 110, 16, 40, 8, None), (2, 2), "positive"),
        ("S11", (39.0, 120, 28, 28, 18, 15), (4, 4), "positive"),
        ("S12", (36.0, 91, 20, 32, 12, 10), (1, 1), "negative"),
        ("S14", (37, 95, None, None, None, None), (1, 3), "indeterminate"),
        ("either member alone", (37, 80, None, 31, None, 11), (2, 2), "positive"),
        ("one negative member judges", (37, 80, None, 40, None, 3), (0, 0), "negative"),
    ],
)
def test_sirs_counts_its_criteria(
    label: str, readings: tuple[float | None, ...], bounds: tuple[int, int], word: str
) -> None:
    result = rule_set("sirs").score(named(SIRS, readings))
    assert (result.minimum_total, result.maximum_total, result.classification) == (*bounds, word), label
    assert result.complete == (bounds[0] == bounds[1])
    assert result.maximum_possible == 4


MEWS = ("SBP", "HR", "Resp", "Temp", "Consciousness")


@pytest.mark.parametrize(
    ("label", "readings", "expected"),
    [
        ("M1", (120, 75, 12, 37.0, "A"), (0, 0, 0, 0, 0)),
        ("M2", (120, 75, 16, 37.0, "A"), (0, 0, 1, 0, 0)),
        ("M3", (120, 77, 14, 37.0, "U"), (0, 0, 0, 0, 3)),
        ("M4", (120, 77, 22, 37.0, "U"), (0, 0, 2, 0, 3)),
        ("M9", (210, 110, 8, 37.0, "A"), (2, 1, 2, 0, 0)),
        ("M10 maximum", (70, 130, 30, 38.5, "U"), (3, 3, 3, 2, 3)),
        ("M11", (71, 129, 29, 38.4, "P"), (2, 2, 2, 0, 2)),
        ("M12", (81, 111, 21, 35.0, "V"), (1, 2, 2, 0, 1)),
        ("the two values the print forgets", (70, 40, 12, 37.0, "A"), (3, 2, 0, 0, 0)),
    ],
)
def test_mews_adds_up_as_by_hand(label: str, readings: tuple[float | str, ...], expected: tuple[int, ...]) -> None:
    result = rule_set("mews").score(named(MEWS, readings))
    assert (points(result), result.total, result.maximum_possible) == (expected, sum(expected), 14), label
    critical = sum(expected) >= 5
    assert (result.classification, result.band) == (
        ("critical", Band.MEDIUM) if critical else ("below-critical", Band.LOW)
    )


def test_mews_leaves_new_confusion_open_because_subbe_does_not_know_it() -> None:
    result = rule_set("mews").score(named(MEWS, (120, 75, 16, 37.0, "C")))
    row = result.parameters[4]
    assert (row.value, row.points, row.minimum_points, row.maximum_points) == ("C", None, 0, 3)
    assert (result.minimum_total, result.maximum_total, result.missing) == (1, 4, ("Consciousness",))
    assert result.band is Band.LOW


def test_mews_does_not_read_the_coma_scale() -> None:
    result = rule_set("mews").score(given(SBP=120.0, HR=75.0, Resp=12.0, Temp=37.0, GCS=15.0))
    assert result.missing == ("Consciousness",)
