"""Hostile and bad observations, by the rows of the product's table of them: units and times, 1-3, 5 and 7-11.

Values, status and sensors (12, 13, 18-21, 24, 31, 32) are in `test_bad_values.py`; the request as a whole (4, 6, 14-17,
25, the count of 26) in `test_bad_requests.py`, its texts (22, 23, 33) in `test_bad_identifiers.py`; rate (34) in
`resilience/`. Decided elsewhere: 26 for bytes (capped before parsing, in transport), 28 (deadline) and 29 (lowest
tier) in serving, 27 (the same id again) and 30 (identity) in transport.
"""

import pytest

from stepdown.domain.intake import InputStatus
from stepdown.domain.observations import CareSetting, Indication, ObservationStatus
from stepdown.domain.reasons import AbstentionReason, InputIssue, RejectReason
from tests.unit.clinical.building import (
    AS_OF_S,
    dropped,
    flagged,
    known_cells,
    parameter,
    reasons,
    refusal,
    seen,
    taken,
    vitals,
)

SOME = seen("Resp", 16.0)


def test_row_01_a_fahrenheit_value_sent_as_celsius_is_dropped_with_the_likely_unit_and_never_converted() -> None:
    intake = taken(SOME, seen("Temp", 101.3))
    (entry,) = intake.dropped
    assert (entry.channel, entry.issue) == ("Temp", InputIssue.UNIT_SUSPECT)
    assert "[degF]" in entry.hint
    assert known_cells(intake, "Temp") == {}
    assert parameter(intake, "Temp").status is InputStatus.MISSING


def test_row_01_strict_refuses_the_request_for_it() -> None:
    suspect = seen("Temp", 101.3)
    error = refusal(SOME, suspect, strict=True)
    assert error.reason is RejectReason.STRICT_INPUT
    assert reasons(error) == {suspect.field: RejectReason.STRICT_INPUT}
    assert "UNIT_SUSPECT" in error.violations[0].description


@pytest.mark.parametrize(
    ("channel", "value", "likely"),
    [
        ("Creatinine", 120.0, "umol/L"),
        ("Creatinine", 45.0, "umol/L"),
        ("Glucose", 6.1, "mmol/L"),
        ("Bilirubin_total", 80.0, "umol/L"),
        ("WBC", 8000.0, "/uL"),
        ("PaCO2", 4.5, "kPa"),
        ("SBP", 16.0, "kPa"),
        ("Temp", 310.0, "K"),
        ("FiO2", 5.0, "L/min"),
        ("FiO2", 0.4, "1"),
        ("O2Sat", 0.97, "1"),
        ("pH", 40.0, "nmol/L"),
    ],
)
def test_row_02_a_value_that_fits_another_unit_is_dropped_with_its_name(
    channel: str, value: float, likely: str
) -> None:
    intake = taken(SOME, seen(channel, value))
    (entry,) = intake.dropped
    assert (entry.channel, entry.issue) == (channel, InputIssue.UNIT_SUSPECT)
    assert likely in entry.hint
    assert [used.channel for used in intake.used] == ["Resp"]


@pytest.mark.parametrize(("channel", "value", "likely"), [("Lactate", 27.0, "mg/dL"), ("PaCO2", 7.0, "kPa")])
def test_row_02_one_that_may_yet_be_true_is_kept_from_the_models_and_flagged_for_the_clinician(
    channel: str, value: float, likely: str
) -> None:
    intake = taken(SOME, seen(channel, value))
    assert dropped(intake) == [(channel, InputIssue.UNIT_SUSPECT)]
    assert likely in intake.dropped[0].hint
    assert flagged(intake) == [(channel, InputIssue.UNIT_SUSPECT)]
    assert known_cells(intake, channel) == {}
    assert parameter(intake, channel).value == value


def test_row_02_a_true_low_glucose_is_not_taken_for_another_unit() -> None:
    intake = taken(SOME, seen("Glucose", 25.0))
    assert dropped(intake) == []
    assert known_cells(intake, "Glucose") == {0: 25.0}


@pytest.mark.parametrize(
    ("unit", "issue"),
    [
        ("", InputIssue.UNIT_UNKNOWN),
        ("beats per minute", InputIssue.UNIT_UNKNOWN),
        ("bpm", InputIssue.UNIT_UNKNOWN),
        ("mm[Hg]", InputIssue.UNIT_INCOMPATIBLE),
        ("Cel", InputIssue.UNIT_INCOMPATIBLE),
        ("mmol/L{fasting}", InputIssue.UNIT_INCOMPATIBLE),
    ],
)
def test_row_03_a_missing_unknown_or_alien_unit_drops_the_value_and_none_is_assumed(
    unit: str, issue: InputIssue
) -> None:
    intake = taken(SOME, seen("HR", 80.0, unit=unit))
    (entry,) = intake.dropped
    assert (entry.channel, entry.issue) == ("HR", issue)
    assert "/min" in entry.hint
    assert known_cells(intake, "HR") == {}


@pytest.mark.parametrize("unit", ["/min", "{beats}/min", "/min{beats}"])
def test_row_03_an_annotation_is_no_other_unit(unit: str) -> None:
    assert parameter(taken(seen("HR", 80.0, unit=unit)), "HR").value == 80.0


def test_row_05_an_observation_of_the_next_two_minutes_is_used_and_flagged() -> None:
    intake = taken(seen("HR", 80.0, ago_s=-120.0))
    assert flagged(intake) == [("HR", InputIssue.CLOCK_SKEW)]
    assert known_cells(intake, "HR") == {0: 80.0}
    assert parameter(intake, "HR").value == 80.0


def test_row_05_a_later_one_is_dropped() -> None:
    intake = taken(SOME, seen("HR", 80.0, ago_s=-120.001))
    assert dropped(intake) == [("HR", InputIssue.FUTURE_OBSERVATION)]
    assert flagged(intake) == []


def test_row_07_exact_duplicates_count_once_and_are_counted() -> None:
    twice = [seen("HR", value) for value in (80.0, 80.0, 80.0)]
    intake = taken(*twice)
    assert len(intake.used) == 1
    (flag,) = intake.flags
    assert (flag.issue, flag.channel) == (InputIssue.DUPLICATE, "HR")
    assert "2 values" in flag.detail


def test_row_07_the_same_value_from_another_source_is_no_duplicate() -> None:
    intake = taken(seen("HR", 80.0, source="monitor-1"), seen("HR", 80.0, source="monitor-2"))
    assert flagged(intake) == []
    assert len(intake.used) == 2


@pytest.mark.parametrize("better", [ObservationStatus.CORRECTED, ObservationStatus.AMENDED])
def test_row_08_a_correction_wins_over_the_final_value_and_that_over_a_preliminary_one(
    better: ObservationStatus,
) -> None:
    final, preliminary = seen("HR", 130.0), seen("HR", 140.0, status=ObservationStatus.PRELIMINARY)
    corrected = seen("HR", 80.0, status=better)
    assert parameter(taken(final, preliminary, corrected), "HR").value == 80.0
    assert parameter(taken(preliminary, final), "HR").value == 130.0
    assert ("HR", InputIssue.CONFLICT) in flagged(taken(final, corrected))


def test_row_08_among_equals_the_latest_issued_wins() -> None:
    older = seen("HR", 130.0, issued_time_s=AS_OF_S - 200)
    newer = seen("HR", 80.0, issued_time_s=AS_OF_S - 100)
    intake = taken(newer, older)
    assert parameter(intake, "HR").value == 80.0
    assert known_cells(intake, "HR") == {0: 80.0}
    assert flagged(intake) == [("HR", InputIssue.CONFLICT)]


def test_row_08_otherwise_the_worst_counts_for_the_rules_and_the_median_for_the_models() -> None:
    intake = taken(seen("HR", 80.0), seen("HR", 90.0), seen("HR", 135.0))
    assert parameter(intake, "HR").value == 135.0
    assert known_cells(intake, "HR") == {0: 90.0}
    assert flagged(intake) == [("HR", InputIssue.CONFLICT)]
    assert [used.value for used in intake.used] == [80.0, 90.0, 135.0]


def test_row_09_the_order_in_which_observations_come_does_not_matter() -> None:
    earlier, later = seen("HR", 120.0, ago_s=4000.0), seen("HR", 80.0, ago_s=100.0)
    assert taken(earlier, later) == taken(later, earlier)
    assert parameter(taken(later, earlier), "HR").value == 80.0


@pytest.mark.parametrize(
    ("setting", "ago_s", "stale"),
    [
        (CareSetting.WARD, 9 * 3600.0, True),
        (CareSetting.WARD, 6 * 3600.0 + 1, True),
        (CareSetting.WARD, 6 * 3600.0, False),
        (CareSetting.EMERGENCY_DEPARTMENT, 6 * 3600.0 + 1, True),
        (CareSetting.ICU, 3601.0, True),
        (CareSetting.ICU, 3600.0, False),
    ],
)
def test_row_10_a_stale_vital_sign_is_dropped_for_the_rules_and_stays_history_for_the_models(
    setting: CareSetting, ago_s: float, *, stale: bool
) -> None:
    indication = Indication(age_years=62.0, care_setting=setting)
    intake = taken(*vitals(leave_out=("HR",)), seen("HR", 80.0, ago_s=ago_s), indication=indication)
    assert (("HR", InputIssue.STALE) in dropped(intake)) is stale
    assert parameter(intake, "HR").status is (InputStatus.STALE if stale else InputStatus.PRESENT)
    assert list(known_cells(intake, "HR").values()) == [80.0]
    assert intake.abstention is None


def test_row_10_where_nothing_is_current_the_answer_is_an_abstention() -> None:
    intake = taken(*vitals(ago_s=9 * 3600.0))
    assert intake.abstention is AbstentionReason.STALE_INPUT
    assert "Measure again" in intake.abstention_text


def test_row_10_a_fresh_lactate_still_decides_something() -> None:
    assert taken(*vitals(ago_s=9 * 3600.0), seen("Lactate", 4.5)).abstention is None


def test_row_10_what_is_older_than_the_window_is_dropped_altogether() -> None:
    intake = taken(SOME, seen("WBC", 9.0, ago_s=48 * 3600.0), seen("WBC", 8.0, ago_s=48 * 3600.0 - 1))
    assert dropped(intake) == [("WBC", InputIssue.STALE)]
    assert known_cells(intake, "WBC") == {47: 8.0}


@pytest.mark.parametrize(
    ("channel", "limit_s"), [("Lactate", 6 * 3600.0), ("WBC", 24 * 3600.0), ("PaCO2", 24 * 3600.0)]
)
def test_row_10_laboratory_values_stand_longer_and_are_flagged_rather_than_dropped(
    channel: str, limit_s: float
) -> None:
    value = {"Lactate": 3.0, "WBC": 9.0, "PaCO2": 40.0}[channel]
    assert parameter(taken(SOME, seen(channel, value, ago_s=limit_s)), channel).value == value
    late = taken(SOME, seen(channel, value, ago_s=limit_s + 1))
    assert parameter(late, channel).status is InputStatus.STALE
    assert (dropped(late), flagged(late)) == ([], [(channel, InputIssue.STALE)])


@pytest.mark.parametrize(("channel", "value"), [("HR", 210.0), ("Potassium", 8.9), ("Temp", 31.0), ("WBC", 180.0)])
def test_row_11_an_implausible_value_is_used_as_it_is_and_flagged(channel: str, value: float) -> None:
    intake = taken(seen(channel, value))
    assert flagged(intake) == [(channel, InputIssue.IMPLAUSIBLE)]
    assert known_cells(intake, channel) == {0: pytest.approx(value)}
