"""What stands of several readings of one time, beyond the rows of the table of bad inputs."""

import pytest

from stepdown.clinical.resolution import median
from stepdown.domain.observations import ObservationStatus
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import AS_OF_S, dropped, flagged, known_cells, packed, parameter, seen, taken


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert median([4.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_readings_of_one_hour_become_their_median() -> None:
    intake = taken(seen("HR", 80.0, 60.0), seen("HR", 90.0, 120.0), seen("HR", 130.0, 180.0), seen("HR", 70.0, 3600.0))
    assert known_cells(intake, "HR") == {0: 90.0, 1: 70.0}
    assert parameter(intake, "HR").value == 80.0


def test_a_repetition_inside_a_packed_series_counts_once() -> None:
    intake = taken(series=(packed("HR", (60.0, 80.0), (60.0, 80.0), (30.0, 81.0)),))
    assert flagged(intake) == [("HR", InputIssue.DUPLICATE)]
    assert [(used.field, used.readings) for used in intake.used] == [("series[0].values[2]", 2)]


def test_a_single_observation_may_repeat_a_packed_one() -> None:
    intake = taken(seen("HR", 80.0, 60.0), series=(packed("HR", (60.0, 80.0)),))
    assert flagged(intake) == [("HR", InputIssue.DUPLICATE)]
    assert [used.readings for used in intake.used] == [1]


def test_a_doubtful_reading_does_not_enter_the_median_of_the_models() -> None:
    intake = taken(seen("Lactate", 27.0), seen("Lactate", 2.7))
    assert known_cells(intake, "Lactate") == {0: pytest.approx(2.7)}
    assert parameter(intake, "Lactate").value == 27.0


def test_two_doubtful_readings_stay_with_the_rules() -> None:
    intake = taken(seen("Lactate", 27.0), seen("Lactate", 28.0))
    assert known_cells(intake, "Lactate") == {}
    assert parameter(intake, "Lactate").value == 28.0


def test_a_correction_that_agrees_is_no_conflict() -> None:
    intake = taken(seen("HR", 80.0, source="a-1"), seen("HR", 80.0, source="b-1", status=ObservationStatus.CORRECTED))
    assert flagged(intake) == []


def test_several_corrections_leave_the_last_one_issued() -> None:
    first = seen("HR", 90.0, status=ObservationStatus.CORRECTED, issued_time_s=AS_OF_S - 50)
    second = seen("HR", 100.0, status=ObservationStatus.CORRECTED, issued_time_s=AS_OF_S - 40)
    intake = taken(first, second, seen("HR", 80.0, issued_time_s=AS_OF_S - 10))
    assert parameter(intake, "HR").value == 100.0
    assert "is used" in intake.flags[0].detail


def test_a_retraction_without_a_value_takes_back_what_was_not_corrected() -> None:
    deleted = seen("HR", None, status=ObservationStatus.CANCELLED)
    assert dropped(taken(seen("HR", 80.0), deleted)) == [("HR", InputIssue.STATUS_EXCLUDED)] * 2
    assert parameter(taken(seen("HR", 80.0, status=ObservationStatus.CORRECTED), deleted), "HR").value == 80.0


def test_of_two_retractions_of_one_value_the_later_counts() -> None:
    early, late = (
        seen("HR", 80.0, status=ObservationStatus.CANCELLED, issued_time_s=AS_OF_S - ago_s) for ago_s in (200.0, 50.0)
    )
    between = seen("HR", 80.0, issued_time_s=AS_OF_S - 100.0)
    for retractions in ((early, late), (late, early)):
        assert known_cells(taken(between, *retractions), "HR") == {}
    assert known_cells(taken(between, early), "HR") == {0: 80.0}


def test_a_retraction_without_a_time_or_of_another_time_takes_nothing_back() -> None:
    for retraction in (
        seen("HR", 80.0, status=ObservationStatus.CANCELLED, effective_time_s=None),
        seen("HR", 80.0, 900.0, status=ObservationStatus.CANCELLED),
        seen("HR", 80.0, status=ObservationStatus.UNKNOWN),
    ):
        assert parameter(taken(seen("HR", 80.0), retraction), "HR").value == 80.0


def test_a_retracted_packed_value_is_named_by_its_place() -> None:
    retraction = seen("HR", 80.0, 60.0, status=ObservationStatus.ENTERED_IN_ERROR)
    intake = taken(retraction, series=(packed("HR", (60.0, 80.0), (30.0, 81.0)),))
    assert {entry.field for entry in intake.dropped} == {retraction.field, "series[0].values[0]"}
    assert known_cells(intake, "HR") == {0: 81.0}
