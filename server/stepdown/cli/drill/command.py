"""`stepdown drill`: rehearse failures on a running server and hold what happens against the objectives.

Exit code 0: every objective was met. 1: at least one was not. 2: the drill could not be played, and says nothing.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from stepdown.cli.demo import repository
from stepdown.cli.drill.page import drill_page
from stepdown.cli.drill.plan import Drill, DrillPlan, read_plan
from stepdown.cli.drill.play import DrillNotPlayedError, play
from stepdown.cli.drill.target import DrillTarget, drill_target_options
from stepdown.cli.drill.verdict import Finding, Measures, judge, measure
from stepdown.cli.options import DIRECTORY, FILE, NEW, as_json_option
from stepdown.client import AssessmentClient, AssessmentError
from stepdown.client.drills import DrillClient
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import ConfigurationError

_NOT_PLAYED = 2
objectives_option = click.option(
    "--objectives", type=FILE, help="The file of drills. Default: deploy/drills/objectives.toml of this checkout."
)


class PlanError(click.ClickException):
    """The file of drills cannot be used."""

    exit_code = _NOT_PLAYED


@click.group()
def drill() -> None:
    """Rehearse failures on a running server that is not in production."""


@drill.command("list")
@objectives_option
@as_json_option
def list_drills(*, objectives: Path | None, as_json: bool) -> None:
    """Show the drills and what each must show."""
    plan = _plan(objectives)
    if as_json:
        click.echo(json.dumps({name: each.model_dump(mode="json") for name, each in plan.drills.items()}))
        return
    table = Table("drill", "what happens", "tier", "objectives")
    for name, each in plan.drills.items():
        asked = each.objectives.model_dump(exclude_none=True)
        table.add_row(name, each.about, each.tier, ", ".join(f"{key} {most:g}" for key, most in asked.items()))
    Console().print(table)


@drill.command("run")
@click.argument("name")
@objectives_option
@click.option("--pathway", default="sepsis-early-warning", show_default=True)
@click.option("--stays", type=DIRECTORY, help="A folder of .psv stays to ask about. Default: the demo's.")
@click.option("--rate", type=click.FloatRange(0.1, 10_000), help="Questions a second, instead of the file's.")
@click.option("--html", type=NEW, help="Write a page with a timeline to file.")
@as_json_option
@drill_target_options
def run(  # noqa: PLR0913 - one parameter for each option
    *,
    name: str,
    objectives: Path | None,
    pathway: str,
    stays: Path | None,
    rate: float | None,
    html: Path | None,
    as_json: bool,
    target: DrillTarget,
) -> None:
    """Play one drill under load and judge it."""
    plan = _plan(objectives)
    if name not in plan.drills:
        raise click.UsageError(f"no drill {name}; there are: {', '.join(plan.drills)}")
    chosen = plan.drills[name]
    load = plan.load if rate is None else plan.load.model_copy(update={"rate_per_s": rate})
    folder = stays or repository() / "deploy" / "demo" / "stays"
    try:
        with (
            AssessmentClient(target.address, target.assessor) as client,
            DrillClient(target.address, target.operator) as operations,
        ):
            record = play(chosen, load, pathway=pathway, stays=folder, client=client, operations=operations, tell=_tell)
    except (AssessmentError, DrillNotPlayedError) as error:
        click.echo(f"not played: {error}", err=True)
        sys.exit(_NOT_PLAYED)
    measures = measure(record, doubt=chosen.fault is InjectableFault.OUTPUT_WRONG)
    findings = judge(measures, chosen.objectives)
    if html is not None:
        html.write_text(drill_page(name, chosen, load, record, measures, findings), "utf-8")
    _print(name, chosen, measures, findings, as_json=as_json)
    sys.exit(0 if all(finding.met for finding in findings) else 1)


def _plan(objectives: Path | None) -> DrillPlan:
    try:
        return read_plan(objectives or repository() / "deploy" / "drills" / "objectives.toml")
    except (ConfigurationError, OSError) as error:
        raise PlanError(str(error)) from error


def _tell(what: str) -> None:
    click.echo(what, err=True)


def _print(name: str, chosen: Drill, measures: Measures, findings: Sequence[Finding], *, as_json: bool) -> None:
    met = all(finding.met for finding in findings)
    if as_json:
        judged = [asdict(finding) for finding in findings]
        body = {"drill": name, "fault": chosen.fault, "tier": chosen.tier, "met": met, "findings": judged}
        click.echo(json.dumps(body | {"measures": asdict(measures)}))
        return
    table = Table("objective", "allowed", "found", "", title=f"{name}: {'met' if met else 'NOT MET'}")
    for finding in findings:
        found = "did not happen" if finding.found is None else f"{finding.found:.1f}"
        table.add_row(finding.objective, f"{finding.allowed:g}", found, "met" if finding.met else "[red]NOT MET[/red]")
    phases = Table("phase", "asked", "lost", "answered by", "p50 ms", "p99 ms")
    for phase in measures.phases:
        shares = ", ".join(f"{tier} {count}" for tier, count in phase.shares.items())
        phases.add_row(phase.name, str(phase.asked), str(phase.lost), shares, _ms(phase.p50_ms), _ms(phase.p99_ms))
    console = Console()
    console.print(table, phases)
    if measures.doubtful:
        console.print(f"{len(measures.doubtful)} answers between fault and detection are in doubt; --json lists them")
    if measures.late_sends:
        console.print(f"{measures.late_sends} questions were sent more than 50 ms late: this machine was too busy")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
