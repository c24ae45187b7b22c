"""A band is not lowered because another tier answered, nor for want of an answer; a real change counts at once."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest

from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.api.v1.bands_pb2 import (
    BAND_HIGH,
    BAND_INDETERMINATE,
    BAND_LOW,
    BAND_LOW_MEDIUM,
    BAND_MEDIUM,
    Band,
)
from stepdown.client import HeldBand, hold

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
VALID = timedelta(hours=1)
TIERS = ("full", "distilled", "rules")
RANKED = (BAND_LOW, BAND_LOW_MEDIUM, BAND_MEDIUM, BAND_HIGH)


def answer(band: Band, tier: str = "full", *, minute: int = 0, sha256: str = "") -> Assessment:
    said = Assessment(band=band)
    said.answered_by.tier = tier
    said.answered_by.bundle.sha256 = sha256 or tier
    said.as_of_time.FromDatetime(START + timedelta(minutes=minute))
    said.valid_until_time.FromDatetime(START + timedelta(minutes=minute) + VALID)
    return said


def after(*answers: Assessment) -> HeldBand:
    held = None
    for each in answers:
        held = hold(held, each)
    assert held is not None
    return held


def test_the_first_answer_holds() -> None:
    held = after(answer(BAND_MEDIUM))
    assert (held.band, held.tier, held.is_latched) == (BAND_MEDIUM, "full", False)


def test_a_lower_band_of_another_tier_is_held_off() -> None:
    held = after(answer(BAND_HIGH, "full"), answer(BAND_LOW, "rules", minute=10))
    assert (held.band, held.tier, held.is_latched) == (BAND_HIGH, "full", True)


def test_a_lower_band_of_the_same_tier_counts_though_others_answered_in_between() -> None:
    held = after(answer(BAND_HIGH), answer(BAND_LOW, "rules", minute=10), answer(BAND_LOW, minute=20))
    assert (held.band, held.is_latched) == (BAND_LOW, False)


def test_another_version_of_the_bundle_is_another_tier() -> None:
    held = after(answer(BAND_HIGH, sha256="1"), answer(BAND_LOW, sha256="2", minute=10))
    assert (held.band, held.is_latched) == (BAND_HIGH, True)


def test_a_lower_band_counts_once_the_one_held_is_no_longer_current() -> None:
    last = answer(BAND_LOW, "rules", minute=59)
    assert after(answer(BAND_HIGH), last).is_latched
    assert after(answer(BAND_HIGH), last, answer(BAND_LOW, "rules", minute=60)).band == BAND_LOW


@pytest.mark.parametrize("tier", TIERS)
def test_a_higher_band_counts_at_once_whoever_gives_it(tier: str) -> None:
    assert after(answer(BAND_MEDIUM), answer(BAND_HIGH, tier, minute=1)).band == BAND_HIGH


def test_the_same_band_from_another_tier_is_current_for_as_long_as_that_says() -> None:
    held = after(answer(BAND_HIGH), answer(BAND_HIGH, "rules", minute=30), answer(BAND_LOW, minute=70))
    assert (held.band, held.tier, held.is_latched) == (BAND_HIGH, "rules", True)


@pytest.mark.parametrize("minute", [1, 600])
def test_an_abstention_clears_nothing_however_long_ago_the_band_was_given(minute: int) -> None:
    held = after(answer(BAND_HIGH), answer(BAND_INDETERMINATE, minute=minute))
    assert (held.band, held.is_latched) == (BAND_HIGH, True)


def test_where_nothing_was_known_whatever_comes_counts() -> None:
    for band in (BAND_INDETERMINATE, *RANKED):
        assert after(answer(BAND_INDETERMINATE), answer(band, "rules", minute=1)).band == band


def test_an_answer_about_an_earlier_instant_changes_nothing() -> None:
    held = after(answer(BAND_HIGH), answer(BAND_LOW, "rules", minute=10))
    for band, tier in product((BAND_INDETERMINATE, *RANKED), TIERS):
        assert hold(held, answer(band, tier, minute=5)) == held


def test_over_any_course_of_tiers_a_band_falls_only_by_the_tier_that_gave_it_or_when_it_is_over() -> None:
    draw = Random(1)
    for _ in range(300):
        held: HeldBand | None = None
        minute = 0
        for _ in range(12):
            minute += draw.randrange(0, 45)
            new = answer(draw.choice((BAND_INDETERMINATE, *RANKED)), draw.choice(TIERS), minute=minute)
            before, held = held, hold(held, new)
            if before is None or held.band >= before.band:
                continue
            now_ns = new.as_of_time.ToNanoseconds()
            assert new.band != BAND_INDETERMINATE
            assert new.answered_by.tier == before.tier or now_ns >= before.valid_until_ns
