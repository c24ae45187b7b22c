"""`stepdown drill`: rehearse failures on a running server and hold what happens against the objectives.

Exit code 0: every objective was met. 1: at least one was not. 2: a drill could not be played, and says nothing.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from stepdown.cli.demo import repository
from stepdown.cli.drill.page import rehearsal_page
from stepdown.cli.drill.plan import Drill, DrillPlan, LoadPlan, read_plan
from stepdown.cli.drill.play import play
from stepdown.cli.drill.questions import Desk, DrillNotPlayedError, Questions, learn
from stepdown.cli.drill.result import NOT_PLAYED, Played, Rehearsal, Result, rehearsal_json
from stepdown.cli.drill.target import DrillTarget, drill_target_options
from stepdown.cli.drill.terminal import show_drills, show_result, show_summary
from stepdown.cli.drill.verdict import judge, measure
from stepdown.cli.options import DIRECTORY, FILE, NEW, as_json_option
from stepdown.client import AssessmentClient, AssessmentError
from stepdown.client.drills import DrillClient
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import ConfigurationError

ALL = "all"
objectives_option = click.option(
    "--objectives", type=FILE, help="The file of drills. Default: deploy/drills/objectives.toml of this checkout."
)


class PlanError(click.ClickException):
    """The file of drills cannot be used."""

    exit_code = NOT_PLAYED


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
    else:
        show_drills(plan, Console())


@drill.command("run")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@objectives_option
@click.option("--pathway", default="sepsis-early-warning", show_default=True)
@click.option("--stays", type=DIRECTORY, help="A folder of .psv stays to ask about. Default: the demo's.")
@click.option("--rate", type=click.FloatRange(0.1, 10_000), help="Questions a second, instead of the file's.")
@click.option("--html", type=NEW, help="Write a page with a timeline of each drill, to file.")
@as_json_option
@drill_target_options
def run(  # noqa: PLR0913 - one parameter for each option
    *,
    names: tuple[str, ...],
    objectives: Path | None,
    pathway: str,
    stays: Path | None,
    rate: float | None,
    html: Path | None,
    as_json: bool,
    target: DrillTarget,
) -> None:
    """Play drills under load, one after another, and judge them. The name `all` stands for every drill of the file."""
    plan = _plan(objectives)
    chosen = _chosen(plan, names)
    load = plan.load if rate is None else plan.load.model_copy(update={"rate_per_s": rate})
    try:
        with _desk(target, pathway) as desk:
            rehearsal = _rehearse(chosen, load, desk, stays or repository() / "deploy" / "demo" / "stays")
    except (AssessmentError, DrillNotPlayedError) as error:
        click.echo(f"not played: {error}", err=True)
        sys.exit(NOT_PLAYED)
    if html is not None:
        html.write_text(rehearsal_page(rehearsal), "utf-8")
    _print(rehearsal, as_json=as_json)
    sys.exit(rehearsal.exit_code)


def _plan(objectives: Path | None) -> DrillPlan:
    try:
        return read_plan(objectives or repository() / "deploy" / "drills" / "objectives.toml")
    except (ConfigurationError, OSError) as error:
        raise PlanError(str(error)) from error


def _chosen(plan: DrillPlan, names: Sequence[str]) -> dict[str, Drill]:
    if ALL in names:
        return plan.drills
    for name in names:
        if name not in plan.drills:
            raise click.UsageError(f"no drill {name}; there are: {', '.join(plan.drills)}, {ALL}")
    return {name: plan.drills[name] for name in names}


@contextmanager
def _desk(target: DrillTarget, pathway: str) -> Iterator[Desk]:
    with (
        AssessmentClient(target.address, target.assessor) as client,
        DrillClient(target.address, target.operator) as operations,
    ):
        yield Desk(
            address=target.address,
            assessor=target.assessor,
            operator=target.operator,
            client=client,
            operations=operations,
            pathway=pathway,
        )


def _rehearse(chosen: dict[str, Drill], load: LoadPlan, desk: Desk, stays: Path) -> Rehearsal:
    """One after another. One that cannot be played does not keep the next from it."""
    tiers = {tier.name for tier in desk.operations.situation(desk.pathway).tiers}
    for name, each in chosen.items():
        if each.tier and each.tier not in tiers:
            raise DrillNotPlayedError(f"{name}: {desk.pathway} has no tier {each.tier}")
    begun_s = time.time()
    questions = learn(desk, stays, _tell)
    results = []
    for name, each in chosen.items():
        _tell(f"{name}: {load.rate_per_s:g} questions a second, each with {load.deadline_ms:g} ms")
        results.append(_result(name, each, load, desk, questions))
        _tell(f"{name}: {results[-1].verdict} {results[-1].problem}".rstrip())
    return Rehearsal(
        address=desk.address,
        pathway=desk.pathway,
        begun_s=begun_s,
        load=load,
        tiers=tuple(questions.labels.values()),
        results=tuple(results),
    )


def _result(name: str, chosen: Drill, load: LoadPlan, desk: Desk, questions: Questions) -> Result:
    try:
        record = play(chosen, load, desk=desk, questions=questions, tell=_tell)
    except (AssessmentError, DrillNotPlayedError) as error:
        return Result(name=name, drill=chosen, played=None, problem=str(error))
    measures = measure(record, lies=chosen.fault is InjectableFault.OUTPUT_WRONG)
    findings = judge(measures, chosen.objectives)
    return Result(name=name, drill=chosen, played=Played(record=record, measures=measures, findings=findings))


def _tell(what: str) -> None:
    click.echo(what, err=True)


def _print(rehearsal: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rehearsal_json(rehearsal)))
        return
    console = Console()
    for result in rehearsal.results:
        show_result(result, console)
    if len(rehearsal.results) > 1:
        show_summary(rehearsal, console)
