"""Packed series end as the same observations would, and are listed once."""

from typing import Any

import pytest

from stepdown.domain.observations import CodeSystem
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import dropped, flagged, known_cells, packed, parameter, seen, taken

HOUR_S = 3600.0


def entries(intake_dropped: object) -> list[tuple[str, InputIssue, int]]:
    return [(entry.field, entry.issue, entry.count) for entry in intake_dropped]  # type: ignore[attr-defined]


def test_a_plain_series_is_used_whole_and_listed_by_its_newest_value() -> None:
    intake = taken(series=(packed("HR", (60.0, 82.0), (7200.0, 80.0), (3600.0, 81.0)),))
    assert known_cells(intake, "HR") == {0: 82.0, 1: 81.0, 2: 80.0}
    (used,) = intake.used
    assert (used.field, used.value, used.readings) == ("series[0].values[0]", 82.0, 3)
    assert parameter(intake, "HR").value == 82.0


def test_hours_without_a_value_stay_missing() -> None:
    intake = taken(series=(packed("HR", (60.0, 82.0), (7200.0, 80.0)),))
    assert known_cells(intake, "HR") == {0: 82.0, 2: 80.0}


@pytest.mark.parametrize(
    ("more", "issue"),
    [
        ({"unit": "mm[Hg]"}, InputIssue.UNIT_INCOMPATIBLE),
        ({"unit": ""}, InputIssue.UNIT_UNKNOWN),
        ({"code": "8867-5"}, InputIssue.CODE_INVALID),
        ({"code": "2947-0"}, InputIssue.CODE_UNSUPPORTED),
    ],
)
def test_what_is_wrong_with_all_of_it_is_said_once(more: dict[str, Any], issue: InputIssue) -> None:
    broken = packed("HR", (60.0, 80.0), (30.0, 81.0))._replace(**more)
    assert entries(taken(seen("Resp", 16.0), series=(broken,)).dropped) == [("series[0]", issue, 2)]


def test_under_a_column_name_the_canonical_unit_stands() -> None:
    plain = packed("HR", (60.0, 80.0))._replace(code_system=CodeSystem.CINC2019, code="HR", unit="")
    assert known_cells(taken(series=(plain,)), "HR") == {0: 80.0}


def test_an_empty_series_says_nothing() -> None:
    intake = taken(seen("Resp", 16.0), series=(packed("HR"),))
    assert (intake.dropped, intake.flags, len(intake.used)) == ((), (), 1)


def test_values_out_of_time_are_dropped_by_kind_and_the_rest_is_used() -> None:
    readings = ((-600.0, 80.0), (-60.0, 81.0), (60.0, 82.0), (48 * HOUR_S, 83.0), (49 * HOUR_S, 84.0))
    intake = taken(series=(packed("HR", *readings),))
    assert entries(intake.dropped) == [
        ("series[0].values[0]", InputIssue.FUTURE_OBSERVATION, 1),
        ("series[0].values[3]", InputIssue.STALE, 2),
    ]
    assert [(flag.issue, flag.field) for flag in intake.flags] == [(InputIssue.CLOCK_SKEW, "series[0].values[1]")]
    assert known_cells(intake, "HR") == {0: 81.5}


def test_a_series_of_nothing_but_history_is_dropped_whole() -> None:
    intake = taken(seen("Resp", 16.0), series=(packed("HR", (49 * HOUR_S, 83.0), (50 * HOUR_S, 84.0)),))
    assert entries(intake.dropped) == [("series[0].values[0]", InputIssue.STALE, 2)]


def test_odd_values_are_judged_one_by_one_and_told_together() -> None:
    readings = ((60.0, 36.5), (120.0, 98.6), (180.0, 31.0), (240.0, 99.1), (300.0, 31.5), (360.0, 200.0))
    intake = taken(series=(packed("Temp", *readings),))
    assert entries(intake.dropped) == [
        ("series[0].values[1]", InputIssue.UNIT_SUSPECT, 2),
        ("series[0].values[5]", InputIssue.OUT_OF_RANGE, 1),
    ]
    assert flagged(intake) == [("Temp", InputIssue.IMPLAUSIBLE)]
    assert "2 values" in intake.flags[0].detail
    assert intake.used[0].readings == 3


def test_doubtful_values_are_kept_from_the_models_and_told_together() -> None:
    intake = taken(series=(packed("Lactate", (60.0, 27.0), (120.0, 30.0), (7200.0, 2.0)),))
    assert entries(intake.dropped) == [("series[0].values[0]", InputIssue.UNIT_SUSPECT, 2)]
    assert known_cells(intake, "Lactate") == {2: 2.0}
    assert parameter(intake, "Lactate").value == 27.0


def test_a_series_of_another_assay_is_flagged_for_what_is_used_of_it() -> None:
    intake = taken(series=(packed("TroponinI", (60.0, 40.0), (120.0, -5.0), unit="ng/L"),))
    assert flagged(intake) == [("TroponinI", InputIssue.ASSAY_NOT_INTERCHANGEABLE)]
    assert known_cells(intake, "TroponinI") == {0: pytest.approx(0.04)}
    single = taken(seen("TroponinI", 40.0, unit="ng/L"), seen("TroponinI", 0.04, 60.0, code="89579-7"))
    assert "2 values" in single.flags[0].detail
    nothing_used = taken(seen("HR", 80.0), series=(packed("TroponinI", (120.0, -5.0), unit="ng/L"),))
    assert flagged(nothing_used) == []


def test_whole_numbers_are_asked_of_a_packed_score_too() -> None:
    intake = taken(series=(packed("GCS", (60.0, 15.0), (120.0, 14.5)),))
    assert dropped(intake) == [("GCS", InputIssue.OUT_OF_RANGE)]
    assert parameter(intake, "GCS").value == 15.0


def test_two_series_of_one_channel_are_read_together() -> None:
    cuff = packed("SBP", (60.0, 120.0), (7200.0, 118.0), code="76534-7")
    line = packed("SBP", (3600.0, 119.0), (1800.0, 125.0), field="series[1]")
    intake = taken(series=(cuff, line))
    assert known_cells(intake, "SBP") == {0: 122.5, 1: 119.0, 2: 118.0}
    assert [(used.field, used.readings) for used in intake.used] == [
        ("series[0].values[0]", 2),
        ("series[1].values[1]", 2),
    ]


def test_all_that_was_used_of_a_series_is_counted_whatever_stood_beside_it() -> None:
    series = packed("HR", (60.0, 82.0), (120.0, 80.0), (120.0, 84.0))
    (used,) = taken(series=(series,)).used
    assert (used.field, used.value, used.readings) == ("series[0].values[0]", 82.0, 3)
    other = seen("HR", 90.0, 120.0)
    assert [(each.field, each.readings) for each in taken(other, series=(series,)).used] == [
        (other.field, 1),
        ("series[0].values[0]", 3),
    ]


def test_contradicting_packed_pressures_are_listed_once_for_each_series() -> None:
    systolic = packed("SBP", (60.0, 80.0), (120.0, 70.0), (180.0, 120.0))
    diastolic = packed("DBP", (60.0, 90.0), (120.0, 90.0), (180.0, 60.0), field="series[1]")
    intake = taken(series=(systolic, diastolic))
    assert entries(intake.dropped) == [
        ("series[0].values[1]", InputIssue.INCONSISTENT, 2),
        ("series[1].values[1]", InputIssue.INCONSISTENT, 2),
    ]
    assert known_cells(intake, "SBP") == {0: 120.0}


def test_readings_tied_with_a_contradicting_one_are_listed_too() -> None:
    tied = (seen("SBP", 80.0, source="a-1"), seen("SBP", 84.0, source="b-1"))
    intake = taken(seen("Resp", 16.0), *tied, seen("DBP", 90.0))
    assert {entry.field for entry in intake.dropped} >= {each.field for each in tied}


def test_and_those_tied_at_another_time_stay() -> None:
    tied = (seen("SBP", 120.0, 900.0, source="a-1"), seen("SBP", 124.0, 900.0, source="b-1"))
    intake = taken(*tied, seen("SBP", 80.0), seen("DBP", 90.0))
    assert {used.field for used in intake.used} == {each.field for each in tied}
    assert known_cells(intake, "SBP") == {0: 122.0}
