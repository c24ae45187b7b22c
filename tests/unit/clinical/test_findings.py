"""What was found is told in one order, and counted instead of repeated."""

from stepdown.clinical.findings import Findings, place_in_request
from stepdown.domain.reasons import InputIssue


def test_places_are_ordered_by_number() -> None:
    places = ["series[0].values[10]", "observations[10]", "observations[2]", "series[0].values[9]", ""]
    assert sorted(places, key=place_in_request) == [
        "",
        "observations[2]",
        "observations[10]",
        "series[0].values[9]",
        "series[0].values[10]",
    ]


def test_the_same_warning_about_a_channel_is_counted_and_points_to_its_first_place() -> None:
    findings = Findings()
    for place in ("observations[10]", "observations[9]"):
        findings.flag(InputIssue.IMPLAUSIBLE, channel="HR", field=place, detail="rare")
    findings.flag(InputIssue.CLOCK_SKEW, channel="HR", field="observations[9]", detail="skew", count=1)
    findings.flag(InputIssue.IMPLAUSIBLE, channel="Temp", field="observations[1]", detail="rare")
    assert [(flag.issue, flag.channel, flag.field, flag.detail) for flag in findings.flags()] == [
        (InputIssue.CLOCK_SKEW, "HR", "observations[9]", "skew"),
        (InputIssue.IMPLAUSIBLE, "HR", "observations[9]", "rare (2 values)"),
        (InputIssue.IMPLAUSIBLE, "Temp", "observations[1]", "rare"),
    ]


def test_nothing_found_is_nothing_said() -> None:
    assert (Findings().dropped(), Findings().flags()) == ((), ())
