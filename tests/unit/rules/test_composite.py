"""The rules tier's whole answer: what lactate may do to NEWS2, and what supporting evidence may not."""

from dataclasses import replace

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.errors import RuleSetError
from stepdown.domain.scores import RulesAssessment
from stepdown.rules.composite import Composite
from stepdown.rules.rule_set import RuleSet, parse_rule_set
from tests.unit.rules.rule_bundles import STALE, Reading, composite, given, rule_set, text

NORMAL: dict[str, Reading] = {
    "Resp": 16.0,
    "O2Sat": 98.0,
    "SupplementalOxygen": 0.0,
    "SBP": 120.0,
    "HR": 75.0,
    "Consciousness": "A",
    "Temp": 37.0,
}
FIVE: dict[str, Reading] = {**NORMAL, "Resp": 21.0, "O2Sat": 92.0, "HR": 91.0}
SEVEN: dict[str, Reading] = {**FIVE, "SupplementalOxygen": 1.0}


def assess(readings: dict[str, Reading], **more: Reading) -> RulesAssessment:
    return composite().assess(given(**{**readings, **more}))


@pytest.mark.parametrize(
    ("label", "readings", "lactate", "band"),
    [
        ("NEWS2 alone", NORMAL, 1.0, Band.LOW),
        ("raised lactate leaves LOW", NORMAL, 3.9, Band.LOW),
        ("severe lactate raises LOW", NORMAL, 4.0, Band.HIGH),
        ("raised lactate leaves LOW_MEDIUM", {**NORMAL, "SBP": 220.0}, 3.9, Band.LOW_MEDIUM),
        ("severe lactate raises LOW_MEDIUM", {**NORMAL, "SBP": 220.0}, 4.0, Band.HIGH),
        ("MEDIUM with normal lactate", FIVE, 2.0, Band.MEDIUM),
        ("MEDIUM with raised lactate", FIVE, 2.1, Band.HIGH),
        ("MEDIUM with severe lactate", FIVE, 4.0, Band.HIGH),
        ("HIGH with normal lactate", SEVEN, 1.0, Band.HIGH),
        ("HIGH with raised lactate", SEVEN, 3.0, Band.HIGH),
        ("MEDIUM without lactate", FIVE, None, Band.MEDIUM),
        ("MEDIUM with an old lactate", FIVE, STALE, Band.MEDIUM),
        ("undetermined without lactate", {}, None, Band.INDETERMINATE),
        ("undetermined with normal lactate", {}, 1.0, Band.INDETERMINATE),
        ("undetermined with raised lactate", {}, 3.0, Band.INDETERMINATE),
        ("undetermined with severe lactate", {}, 4.0, Band.HIGH),
        ("4 to 7 with raised lactate", {**FIVE, "Resp": None, "HR": 120.0}, 3.0, Band.INDETERMINATE),
        ("5 to 8 without lactate", {**FIVE, "Temp": None}, None, Band.INDETERMINATE),
        ("5 to 8 with raised lactate", {**FIVE, "Temp": None}, 3.0, Band.HIGH),
    ],
)
def test_lactate_raises_the_band_and_never_lowers_it(
    label: str, readings: dict[str, Reading], lactate: Reading, band: Band
) -> None:
    answer = assess(readings, Lactate=lactate)
    assert answer.band is band, label
    assert answer.complete == answer.answering.complete


@pytest.mark.parametrize(
    ("readings", "lactate", "expected"),
    [
        (NORMAL, 1.0, "at least every 12 hours"),
        (NORMAL, 4.0, "Emergency response"),
        (FIVE, None, "Urgent response"),
        (FIVE, 3.0, "Emergency response"),
        ({}, None, "No band can be given"),
        ({}, 5.0, "Emergency response"),
    ],
)
def test_the_response_is_that_of_the_final_band(readings: dict[str, Reading], lactate: Reading, expected: str) -> None:
    assert expected in assess(readings, Lactate=lactate).response


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (NORMAL, False),
        (FIVE, False),
        (SEVEN, True),
        ({**SEVEN, "Consciousness": None}, True),
        ({**FIVE, "SupplementalOxygen": None}, False),
        ({}, False),
    ],
)
def test_the_hard_trigger_is_a_news2_of_seven_whatever_is_missing(
    readings: dict[str, Reading], *, expected: bool
) -> None:
    assert assess(readings).hard_trigger is expected


def test_a_severe_lactate_is_no_hard_trigger() -> None:
    answer = assess(NORMAL, Lactate=9.0)
    assert (answer.band, answer.hard_trigger) == (Band.HIGH, False)


def test_supporting_evidence_is_reported_and_moves_nothing() -> None:
    """NEWS2 of 4, while shock index is high and both qSOFA and SIRS are positive."""
    readings: dict[str, Reading] = {**NORMAL, "Resp": 22.0, "SBP": 100.0}
    answer = assess(readings, WBC=15.0, HR=90.0)
    assert answer.answering.total == 4
    assert answer.band is Band.LOW
    assert {one.rule_set_id: one.classification for one in answer.supporting} == {
        "qsofa@1.0.0": "positive",
        "sirs@1.0.0": "positive",
        "mews@1.0.0": "below-critical",
        "shock-index@1.0.0": "raised",
    }
    assert answer.lactate is not None
    assert answer.lactate.classification == "not-assessed"


def test_supporting_evidence_that_is_all_well_does_not_lower_the_band() -> None:
    answer = assess({**NORMAL, "O2Sat": 88.0, "SupplementalOxygen": 1.0, "Consciousness": "V"}, WBC=8.0)
    assert answer.band is Band.HIGH
    assert max(one.band for one in answer.supporting) is Band.LOW


@pytest.mark.parametrize(("scale", "other"), [(1, 2), (2, 1)])
def test_the_other_scale_is_reported_when_asked_for(scale: int, other: int) -> None:
    inputs = given(scale, **{**NORMAL, "O2Sat": 90.0})
    assert composite().assess(inputs).alternate_scale is None
    answer = composite().assess(replace(inputs, want_alternate_scale=True))
    assert answer.alternate_scale == rule_set("news2").score(replace(inputs, spo2_scale=other))
    assert answer.alternate_scale is not None
    assert {answer.answering.total, answer.alternate_scale.total} == {0, 3}


def news2(old: str, new: str) -> RuleSet:
    changed = text("news2").decode().replace(old, new)
    assert changed.encode() != text("news2")
    return parse_rule_set(changed.encode(), rule_set_id="news2@1.0.1")


@pytest.mark.parametrize(
    ("old", "new"),
    [('rule_set = "lactate"', 'rule_set = "troponin"'), ('classification = "raised"', 'classification = "elevated"')],
)
def test_an_overlay_that_could_never_act_is_refused(old: str, new: str) -> None:
    with pytest.raises(RuleSetError, match=r"lactate@1\.0\.0 never says"):
        Composite(answering=news2(old, new), lactate=rule_set("lactate"), supporting=())


def test_only_a_score_that_adds_points_can_answer() -> None:
    with pytest.raises(RuleSetError, match="only a score that adds points can answer"):
        Composite(answering=rule_set("shock-index"), lactate=rule_set("lactate"), supporting=())


def test_an_overlay_that_acts_on_some_reachable_totals_only_leaves_the_answer_undetermined() -> None:
    """With the limit moved to 2, a NEWS2 of 0 to 2 is LOW throughout, yet HIGH at its upper end."""
    moved = news2("total_at_least = 5\nband", "total_at_least = 2\nband")
    tier = Composite(answering=moved, lactate=rule_set("lactate"), supporting=())
    answer = tier.assess(given(**{**NORMAL, "SupplementalOxygen": None, "Lactate": 3.0}))
    assert (answer.answering.band, answer.band) == (Band.LOW, Band.INDETERMINATE)


def test_an_overlay_that_acts_on_some_totals_only_does_not_unsettle_what_is_high_anyway() -> None:
    moved = news2("total_at_least = 5\nband", "total_at_least = 9\nband")
    tier = Composite(answering=moved, lactate=rule_set("lactate"), supporting=())
    answer = tier.assess(given(**{**SEVEN, "Temp": None, "Lactate": 3.0}))
    assert (answer.answering.minimum_total, answer.answering.maximum_total, answer.band) == (7, 10, Band.HIGH)


def test_a_rule_set_without_hard_trigger_never_triggers() -> None:
    tier = Composite(answering=news2("hard_trigger_total = 7\n", ""), lactate=rule_set("lactate"), supporting=())
    assert tier.assess(given(**SEVEN)).hard_trigger is False


def test_without_the_lactate_rules_the_answering_score_stands_alone() -> None:
    alone = replace(composite(), lactate=None)
    answer = alone.assess(given(**{**FIVE, "Lactate": 9.0}))
    assert (answer.band, answer.lactate) == (Band.MEDIUM, None)
