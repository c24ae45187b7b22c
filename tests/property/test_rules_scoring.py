"""Laws of scoring: what is missing is bounded honestly, and nothing but the values decides."""

import math
from collections.abc import Collection
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus, RuleInput, RuleInputs
from stepdown.domain.scores import ScoreResult
from tests.unit.rules import published
from tests.unit.rules.rule_bundles import CHANNELS, MISSING, NAMES, composite, rule_set

# Channels of which either answers for the other: without one of them the other may say something else, and rightly so.
ALTERNATIVES = (("Consciousness", "GCS"), ("Resp", "PaCO2"), ("WBC", "Bands"))

CHARTED: dict[str, st.SearchStrategy[float | str]] = {
    "Resp": st.integers(0, 60).map(float),
    "O2Sat": st.integers(70, 100).map(float),
    "SupplementalOxygen": st.sampled_from((0.0, 1.0)),
    "SBP": st.integers(20, 260).map(float),
    "HR": st.integers(20, 220).map(float),
    "Consciousness": st.sampled_from(("A", "C", "V", "P", "U")),
    "Temp": st.integers(300, 430).map(lambda tenths: tenths / 10),
    "Lactate": st.integers(0, 80).map(lambda tenths: tenths / 10),
    "GCS": st.integers(3, 15).map(float),
    "PaCO2": st.integers(10, 90).map(float),
    "WBC": st.integers(0, 300).map(lambda tenths: tenths / 10),
    "Bands": st.integers(0, 40).map(float),
}
COMPLETE = st.fixed_dictionaries(CHARTED)
SOME_CHANNELS = st.sets(st.sampled_from(CHANNELS))
SCALES = st.sampled_from((1, 2))
NOT_A_READING = st.sampled_from((math.nan, math.inf, -math.inf, True, False, "", "x", None))


def inputs(readings: dict[str, float | str], *, without: Collection[str] = (), scale: int = 1) -> RuleInputs:
    parameters = {
        channel: MISSING if channel in without else RuleInput(value=readings[channel], observed_time_s=0.0)
        for channel in CHANNELS
    }
    return RuleInputs(parameters=parameters, spo2_scale=scale)


def oracle_points(readings: dict[str, float | str], scale: int) -> tuple[int, ...]:
    """NEWS2 by the tables of `published`."""
    on_oxygen = readings["SupplementalOxygen"] == 1.0
    spo2 = published.NEWS2_SPO2_SCALE_1
    if scale == 2:
        spo2 = published.NEWS2_SPO2_SCALE_2_OXYGEN if on_oxygen else published.NEWS2_SPO2_SCALE_2_AIR
    whole = {channel: int(readings[channel]) for channel in ("Resp", "O2Sat", "SBP", "HR")}
    return (
        published.points(published.NEWS2_RESP, whole["Resp"]),
        published.points(spo2, whole["O2Sat"]),
        2 if on_oxygen else 0,
        published.points(published.NEWS2_SBP, whole["SBP"]),
        published.points(published.NEWS2_HR, whole["HR"]),
        published.NEWS2_CODES[str(readings["Consciousness"])],
        published.points(published.NEWS2_TEMP_TENTHS, round(float(readings["Temp"]) * 10)),
    )


@given(readings=COMPLETE, scale=SCALES)
@settings(max_examples=500)
def test_a_complete_news2_is_what_the_published_tables_add_up_to(readings: dict[str, float | str], scale: int) -> None:
    expected = oracle_points(readings, scale)
    result = rule_set("news2").score(inputs(readings, scale=scale))
    assert tuple(row.points for row in result.parameters) == expected
    assert result.total == sum(expected)
    assert result.band.name == published.news2_band(sum(expected), single_three=3 in expected)


@pytest.mark.parametrize("name", NAMES)
@given(readings=COMPLETE, without=SOME_CHANNELS, scale=SCALES)
@settings(max_examples=200)
def test_every_subset_is_answered_and_a_band_given_despite_missing_values_is_the_one_they_would_have_given(
    name: str, readings: dict[str, float | str], without: set[str], scale: int
) -> None:
    hidden = without.union(*(pair for pair in ALTERNATIVES if without.intersection(pair)))
    full = rule_set(name).score(inputs(readings, scale=scale))
    part = rule_set(name).score(inputs(readings, without=hidden, scale=scale))
    assert part.band in (Band.INDETERMINATE, full.band)
    assert 0 <= part.minimum_total <= full.minimum_total <= full.maximum_total <= part.maximum_total
    assert part.maximum_total <= part.maximum_possible
    assert part.complete == (not part.missing and part.band is not Band.INDETERMINATE)


# One value of each band of each NEWS2 row, and of each table that saturation can fall under.
REPRESENTATIVES: dict[str, tuple[float | str, ...]] = {
    "Resp": (8.0, 9.0, 12.0, 21.0, 25.0),
    "O2Sat": (83.0, 85.0, 87.0, 91.0, 92.0, 93.0, 94.0, 95.0, 96.0, 97.0),
    "SupplementalOxygen": (0.0, 1.0),
    "SBP": (90.0, 100.0, 110.0, 120.0, 220.0),
    "HR": (40.0, 50.0, 60.0, 100.0, 120.0, 131.0),
    "Consciousness": ("A", "C"),
    "Temp": (35.0, 36.0, 37.0, 39.0, 39.1),
}


@given(
    readings=COMPLETE,
    without=st.sets(st.sampled_from(tuple(REPRESENTATIVES)), min_size=1, max_size=3),
    scale=SCALES,
)
@settings(max_examples=150)
def test_news2_is_undetermined_exactly_where_two_completions_disagree(
    readings: dict[str, float | str], without: set[str], scale: int
) -> None:
    part = rule_set("news2").score(inputs(readings, without=without | {"GCS"}, scale=scale))
    names = sorted(without)
    completions = [
        rule_set("news2").score(inputs({**readings, **dict(zip(names, values, strict=True))}, scale=scale))
        for values in product(*(REPRESENTATIVES[name] for name in names))
    ]
    bands = {one.band for one in completions}
    assert part.band is (bands.pop() if len(bands) == 1 else Band.INDETERMINATE)
    assert part.minimum_total == min(one.minimum_total for one in completions)
    assert part.maximum_total == max(one.maximum_total for one in completions)


NORMAL_RANGES = {"Resp": (12, 20), "SBP": (111, 219), "HR": (51, 90), "Temp": (36.1, 38.0), "O2Sat": (96, 100)}


@given(readings=COMPLETE, channel=st.sampled_from(tuple(NORMAL_RANGES)), share=st.floats(0, 1))
@settings(max_examples=500)
def test_moving_one_value_towards_normal_never_raises_news2(
    readings: dict[str, float | str], channel: str, share: float
) -> None:
    low, high = NORMAL_RANGES[channel]
    value = float(readings[channel])
    nearest = min(max(value, low), high)
    moved = {**readings, channel: value + (nearest - value) * share}
    before, after = rule_set("news2").score(inputs(readings)), rule_set("news2").score(inputs(moved))
    assert after.minimum_total <= before.minimum_total
    assert after.band <= before.band


@pytest.mark.parametrize("name", NAMES)
@given(readings=COMPLETE, without=SOME_CHANNELS, order=st.permutations(CHANNELS))
def test_the_order_of_the_parameters_does_not_matter(
    name: str, readings: dict[str, float | str], without: set[str], order: list[str]
) -> None:
    given_inputs = inputs(readings, without=without)
    shuffled = replace(given_inputs, parameters={channel: given_inputs.parameters[channel] for channel in order})
    assert rule_set(name).score(shuffled) == rule_set(name).score(given_inputs)


@pytest.mark.parametrize("name", NAMES)
@given(readings=COMPLETE, hit=st.dictionaries(st.sampled_from(CHANNELS), NOT_A_READING, min_size=1))
def test_what_is_no_reading_counts_exactly_as_if_it_were_missing(
    name: str, readings: dict[str, float | str], hit: dict[str, float | str | None]
) -> None:
    clean = inputs(readings, without=set(hit))
    spoilt = {channel: RuleInput(value=value) for channel, value in hit.items()}
    result = rule_set(name).score(replace(clean, parameters={**clean.parameters, **spoilt}))
    assert result == rule_set(name).score(clean)


@pytest.mark.parametrize("name", NAMES)
@given(
    readings=st.fixed_dictionaries(
        {
            channel: st.floats(allow_nan=False, allow_infinity=False)
            for channel in CHANNELS
            if channel != "Consciousness"
        }
    ),
    scale=SCALES,
)
def test_every_finite_number_is_scored(name: str, readings: dict[str, float], scale: int) -> None:
    result = rule_set(name).score(inputs({**readings, "Consciousness": "A"}, scale=scale))
    if name == "shock-index":
        assert result.classification in ("invalid", "below-usual", "normal", "raised", "high")
    else:
        assert result.complete
        assert result.total is not None


@given(readings=COMPLETE, without=SOME_CHANNELS, stale=SOME_CHANNELS)
def test_an_old_reading_bounds_a_score_as_a_missing_one_does(
    readings: dict[str, float | str], without: set[str], stale: set[str]
) -> None:
    clean = inputs(readings, without=without | stale)
    old = {channel: RuleInput(value=None, status=InputStatus.STALE, observed_time_s=0.0) for channel in stale - without}
    aged = replace(clean, parameters={**clean.parameters, **old})
    for name in NAMES:
        first, second = rule_set(name).score(clean), rule_set(name).score(aged)
        assert bounds(first) == bounds(second)


def bounds(result: ScoreResult) -> tuple[object, ...]:
    return result.minimum_total, result.maximum_total, result.band, result.classification, result.missing


@given(readings=COMPLETE, without=SOME_CHANNELS, scale=SCALES)
@settings(max_examples=300)
def test_the_composite_is_never_below_news2_and_supporting_evidence_never_moves_it(
    readings: dict[str, float | str], without: set[str], scale: int
) -> None:
    answer = composite().assess(inputs(readings, without=without, scale=scale))
    assert answer.band >= answer.answering.band
    only_supporting = {"PaCO2", "WBC", "Bands"}
    bare = composite().assess(inputs(readings, without=without | only_supporting, scale=scale))
    assert (bare.band, bare.response, bare.hard_trigger) == (answer.band, answer.response, answer.hard_trigger)
    if answer.hard_trigger or (answer.lactate is not None and answer.lactate.classification == "severe"):
        assert answer.band is Band.HIGH
