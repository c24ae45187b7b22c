"""`python -m loadtests`: play scenarios of failing capacity under load, and write one report.

Exit code 0: every objective was met. 1: at least one was not. 2: something could not be played, or the generator could
not keep its schedule, so that nothing is said about the server.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from loadtests.campaign import Campaign, Plan
from loadtests.generator_process import ROOT
from loadtests.objectives import Verdict, read_objectives
from loadtests.report.document import write_report
from loadtests.scenario import read_scenario
from loadtests.target import Target
from stepdown.cli.options import DIRECTORY, FILE
from stepdown.client import AssessmentError, Credentials
from stepdown.domain.errors import StepdownError

Command = TypeVar("Command", bound=Callable[..., Any])
_HERE = Path(__file__).resolve().parent
_EXIT = {Verdict.MET: 0, Verdict.NOT_MET: 1, Verdict.INVALID: 2, Verdict.NOT_PLAYED: 2}
_IN_ORDER = (
    "healthy",
    "accelerator-lost",
    "accelerator-hung",
    "accelerator-slow",
    "flapping",
    "cpu-halved",
    "all-models-lost",
    "rolling-restart",
    "surge-10x",
    "surge-while-degraded",
)


def _credential(name: str, what: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}", type=FILE, envvar=f"STEPDOWN_{name.upper().replace('-', '_')}", help=what)


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--address", help="IP:PORT of servers of yours, several with commas. Default: servers of its own.")
@_credential("ca", "The authority of the servers (PEM).")
@_credential("cert", "An assessor's certificate (PEM).")
@_credential("key", "An assessor's key (PEM).")
@_credential("operator-cert", "An operator's certificate (PEM).")
@_credential("operator-key", "An operator's key (PEM).")
@click.option("--server-name", default="", envvar="STEPDOWN_SERVER_NAME", help="The name in the servers' certificate.")
@click.option("--pathway", default="sepsis-early-warning", show_default=True)
@click.option("--stays", type=DIRECTORY, default=ROOT / "deploy" / "demo" / "stays", help="A folder of .psv stays.")
@click.option("--objectives", type=FILE, default=_HERE / "objectives.toml", help="What must be shown.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / ".build" / "loadtest", help="Where to write.")
@click.option("--capacity", type=click.FloatRange(min=1), help="Encounters a second, instead of measuring it.")
@click.option("--limit", type=click.FloatRange(min=1), default=2000.0, show_default=True, help="The most of any load.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the arrivals.")
def main(**options: Any) -> None:  # noqa: ANN401 - click's, as declared above
    """Play SCENARIOS: names of loadtests/scenarios, or files of your own. Default: all of the former that can be."""
    try:
        plan = _plan(options)
        with tempfile.TemporaryDirectory(prefix="stepdown-loadtest-") as scratch:
            results = Campaign(plan, Path(scratch), tell=_tell).run()
    except (AssessmentError, StepdownError, OSError) as error:
        click.echo(f"not played: {error}", err=True)
        sys.exit(2)
    page = write_report(results, plan.out)
    for played in results.scenarios:
        _tell(f"{played.verdict:>10}  {played.name}  {played.why}".rstrip())
    _tell(f"report: {page}")
    sys.exit(max(_EXIT[played.verdict] for played in results.scenarios))


def _plan(options: dict[str, Any]) -> Plan:
    """The command line as values. Raises: ConfigurationError, OSError, click.UsageError."""
    names: Sequence[str] = options["scenarios"]
    target = _target(options)
    scenarios = {path.stem: read_scenario(path) for path in map(_path, names or _IN_ORDER)}
    if target is not None and not names:
        scenarios = {name: each for name, each in scenarios.items() if not each.needs_own_servers}
    return Plan(
        scenarios=scenarios,
        objectives=read_objectives(options["objectives"]),
        target=target,
        pathway=options["pathway"],
        stays=options["stays"],
        out=options["out"],
        capacity_per_s=options["capacity"],
        limit_per_s=options["limit"],
        seed=options["seed"],
    )


def _path(name: str) -> Path:
    return Path(name) if name.endswith(".toml") else _HERE / "scenarios" / f"{name}.toml"


def _target(options: dict[str, Any]) -> Target | None:
    if not options["address"]:
        return None
    needed = ("ca", "cert", "key", "operator_cert", "operator_key")
    if missing := [f"--{name.replace('_', '-')}" for name in needed if options[name] is None]:
        raise click.UsageError(f"with --address {', '.join(missing)} must be given: one asks, the other injects")
    ca, cert, key, operator_cert, operator_key = (options[name] for name in needed)
    name = options["server_name"]
    return Target(
        addresses=options["address"],
        assessor=Credentials(ca=ca, certificate=cert, key=key, server_name=name),
        operator=Credentials(ca=ca, certificate=operator_cert, key=operator_key, server_name=name),
    )


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
