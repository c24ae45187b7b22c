"""`stepdown outcome`: report what became of a patient after an answer, or what was thought of the answer.

Refuses to say anything of a patient by name: an answer is named by its `record_id` alone.
"""

import json
import sys
from datetime import UTC, datetime

import click

from stepdown.cli.options import as_json_option
from stepdown.cli.target import Target, target_options
from stepdown.client import AssessmentClient, AssessmentError
from stepdown.client.outcomes import (
    ACTIONS,
    EVENTS,
    OVERRIDE_REASONS,
    RESPONSES,
    FeedbackDetail,
    RecordOutcomeRequest,
    feedback_report,
    outcome_report,
)

_TIMEOUT_S = 10.0


class _Instant(click.ParamType[datetime]):
    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("expected ISO 8601, for example 2026-11-23T14:02:00+01:00", param, ctx)
        if instant.tzinfo is None:
            self.fail(
                "the offset is missing, for example +01:00 or Z: a time without one is two times a year", param, ctx
            )
        return instant


_TIME = _Instant()
_report_id_option = click.option(
    "--report-id", default="", help="A name of yours, by which a report that is sent twice counts once. Default: new."
)


@click.group()
def outcome() -> None:
    """Report what became of a patient after an answer, or what was thought of it."""


@outcome.command()
@click.argument("record_id", metavar="RECORD_ID")
@click.option("--event", type=click.Choice(EVENTS), default="PREDICTED", show_default=True, help="Which event.")
@click.option("--occurred/--did-not-occur", required=True, help="Whether it came about.")
@click.option("--onset", type=_TIME, help="When it came about.")
@click.option("--ascertained", type=_TIME, help="When that was established. Default: now.")
@_report_id_option
@as_json_option
@target_options
def label(  # noqa: PLR0913 - one for each option
    *,
    record_id: str,
    event: str,
    occurred: bool,
    onset: datetime | None,
    ascertained: datetime | None,
    report_id: str,
    as_json: bool,
    target: Target,
) -> None:
    """Say whether an event came about after the answer RECORD_ID."""
    if occurred is (onset is None):
        raise click.UsageError("--occurred needs --onset TIME, and --did-not-occur has none")
    established = ascertained or datetime.now(tz=UTC)
    report = outcome_report(record_id, event=event, onset=onset, ascertained=established, report_id=report_id)
    _send(report, target, as_json=as_json)


@outcome.command()
@click.argument("record_id", metavar="RECORD_ID")
@click.option("--response", type=click.Choice(RESPONSES), required=True, help="Whether the answer was followed.")
@click.option("--reason", "override_reason", type=click.Choice(OVERRIDE_REASONS), default=None, help="Why not.")
@click.option("--action", type=click.Choice(ACTIONS), default=None, help="What was done.")
@click.option("--user", "user_token", default="", help="Who says so, as an opaque token.")
@click.option("--location", default="", help="Ward or unit, as a code.")
@click.option("--given", type=_TIME, help="When it was said. Default: now.")
@click.option(
    "--comment-stdin", is_flag=True, help="Read a comment from standard input, where no process list shows it."
)
@_report_id_option
@as_json_option
@target_options
def feedback(  # noqa: PLR0913
    *,
    record_id: str,
    response: str,
    override_reason: str | None,
    action: str | None,
    user_token: str,
    location: str,
    given: datetime | None,
    comment_stdin: bool,
    report_id: str,
    as_json: bool,
    target: Target,
) -> None:
    """Say what was thought of the answer RECORD_ID, and what was done."""
    detail = FeedbackDetail(
        override_reason=override_reason or "",
        action=action or "",
        user_token=user_token,
        location=location,
        comment=sys.stdin.read().strip() if comment_stdin else "",
    )
    given = given or datetime.now(tz=UTC)
    report = feedback_report(record_id, response=response, given=given, detail=detail, report_id=report_id)
    _send(report, target, as_json=as_json)


def _send(report: RecordOutcomeRequest, target: Target, *, as_json: bool) -> None:
    try:
        with AssessmentClient(target.address, target.credentials) as client:
            record_id = client.record_outcome(report, timeout_s=_TIMEOUT_S)
    except AssessmentError as error:
        fields = "".join(f"\n  {field}: {remedy}" for field, remedy in error.violations)
        raise click.ClickException(f"{error}{fields}") from error
    said = {"report_id": report.report_id, "record_id": record_id}
    click.echo(json.dumps(said) if as_json else f"on the ledger: {record_id} (report {report.report_id})")
