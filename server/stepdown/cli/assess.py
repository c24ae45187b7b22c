"""`stepdown assess`: replay a record against a running server, hour by hour, and show what answered and why."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from stepdown.cli.target import Target, target_options
from stepdown.client import AnswerSummary, AssessmentClient, AssessmentError, AssessRiskRequest, summarise
from stepdown.client.fhir import read_bundle
from stepdown.client.psv import StayFormatError, read_stay

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS = {"LOW": "green", "LOW_MEDIUM": "yellow", "MEDIUM": "dark_orange", "HIGH": "red"}
_VISIBLE_ROWS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer as a row of the table."""

    hour: int
    answer: AnswerSummary
    latency_ms: float


@click.command()
@click.option("--record", type=_FILE, help="A stay in the PhysioNet/CinC 2019 format (.psv), replayed hour by hour.")
@click.option("--fhir", type=_FILE, help="A FHIR R4 Bundle (JSON) of a Patient and Observations.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document per answer instead of a table.")
@click.option(
    "--pause",
    type=click.FloatRange(min=0),
    default=0.05,
    show_default=True,
    help="Seconds between two hours of a replay.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Deadline of each call in seconds.",
)
@target_options
def assess(
    *, record: Path | None, fhir: Path | None, as_json: bool, pause: float, timeout_s: float, target: Target
) -> None:
    """Replay a patient record against a running server."""
    if (record is None) == (fhir is None):
        raise click.UsageError("give either --record FILE.psv or --fhir FILE.json")
    try:
        requests = _requests(record, fhir)
    except StayFormatError as error:
        raise click.ClickException(str(error)) from error
    with AssessmentClient(target.address, target.credentials) as client:
        try:
            lines = _ask(client, requests, pause=pause, timeout_s=timeout_s)
            _print_json(lines) if as_json else _print_table(lines, title=_title(record, fhir))
        except AssessmentError as error:
            remedies = "".join(f"\n  {field}: {text}" for field, text in error.violations)
            raise click.ClickException(f"{error}{remedies}") from error


def _title(record: Path | None, fhir: Path | None) -> str:
    if record is not None:
        return f"{record.stem}: every hour as the server saw it"
    return f"{(fhir or Path()).stem}: as of its newest observation"


def _requests(record: Path | None, fhir: Path | None) -> Iterator[AssessRiskRequest]:
    if record is not None:
        return read_stay(record).requests(ending=datetime.now(UTC))
    return iter((read_bundle(fhir or Path()),))


def _ask(
    client: AssessmentClient, requests: Iterator[AssessRiskRequest], *, pause: float, timeout_s: float
) -> Iterator[Line]:
    for hour, request in enumerate(requests, start=1):
        begun_s = time.monotonic()
        answer = client.assess(request, timeout_s=timeout_s)
        yield Line(hour=hour, answer=summarise(answer), latency_ms=round((time.monotonic() - begun_s) * 1e3, 1))
        time.sleep(pause)


def _print_json(lines: Iterator[Line]) -> None:
    for line in lines:
        sys.stdout.write(json.dumps({"hour": line.hour, **asdict(line.answer), "latency_ms": line.latency_ms}) + "\n")
        sys.stdout.flush()


def _print_table(lines: Iterator[Line], *, title: str) -> None:
    console = Console()
    shown: list[Line] = []
    if not console.is_terminal:
        try:
            shown.extend(lines)
        finally:  # what was answered before a failure is worth seeing
            console.print(_table(shown, title=title))
        return
    with Live(_table(shown, title=title), console=console, refresh_per_second=12) as live:
        for line in lines:
            shown.append(line)
            live.update(_table(shown[-_VISIBLE_ROWS:], title=title))
    console.print(f"{len(shown)} hours, {len(shown)} answers")


def _table(lines: list[Line], *, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("hour", "NEWS2", "risk"):
        table.add_column(name, justify="right")
    for name in ("band", "tier", "remarks"):
        table.add_column(name)
    table.add_column("ms", justify="right")
    for line in lines:
        answer = line.answer
        colour = _COLOURS.get(answer.band, "dim")
        table.add_row(
            str(line.hour),
            answer.news2,
            "-" if answer.probability is None else f"{answer.probability:.3f}",
            f"[{colour}]{answer.band}[/{colour}]",
            answer.tier if answer.tier == "full" else f"[bold]{answer.tier}[/bold]",
            answer.why,
            f"{line.latency_ms:.1f}",
        )
    return table
