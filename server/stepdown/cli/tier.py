"""`stepdown tier`: how the tiers of a server are doing, and taking them out and back in.

Refuses to decide whether that is wise: a tier given back passes probation before it answers anyone.
"""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stepdown.cli.options import as_json_option
from stepdown.cli.target import Target, operator_target_options
from stepdown.client import AssessmentError
from stepdown.client.operations import PathwaySummary, TierSummary, disable_tier, enable_tier, list_tiers


@click.group()
def tier() -> None:
    """Show the tiers of a server, take one out, give it back."""


@tier.command("list")
@as_json_option
@operator_target_options
def list_(*, as_json: bool, target: Target) -> None:
    """Show every tier: its state, and why it does not serve."""
    try:
        pathways = list_tiers(target.address, target.credentials)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps([asdict(pathway) for pathway in pathways]))
        return
    console = Console()
    for pathway in pathways:
        console.print(_table(pathway))


@tier.command()
@click.argument("pathway")
@click.argument("name", metavar="TIER")
@click.option("--why", required=True, help="One line for the colleagues and the log; no patient data.")
@as_json_option
@operator_target_options
def disable(*, pathway: str, name: str, why: str, as_json: bool, target: Target) -> None:
    """Take TIER of PATHWAY out until it is given back; requests step down past it at once."""
    try:
        now = disable_tier(target.address, target.credentials, pathway=pathway, tier=name, detail=why)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    _say(now, as_json=as_json)


@tier.command()
@click.argument("pathway")
@click.argument("name", metavar="TIER")
@as_json_option
@operator_target_options
def enable(*, pathway: str, name: str, as_json: bool, target: Target) -> None:
    """Give TIER of PATHWAY back, out of DISABLED or QUARANTINED."""
    try:
        now = enable_tier(target.address, target.credentials, pathway=pathway, tier=name)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    _say(now, as_json=as_json)


def _say(now: TierSummary, *, as_json: bool) -> None:
    why = f" ({now.reason})" if now.reason else ""
    click.echo(json.dumps(asdict(now)) if as_json else f"{now.tier}: {now.state}{why}")


def _table(pathway: PathwaySummary) -> Table:
    table = Table(title=f"{pathway.pathway}: {pathway.capability}", title_justify="left")
    for name in ("tier", "state", "worker", "provider"):
        table.add_column(name, no_wrap=True)
    table.add_column("restarts", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for each in pathway.tiers:
        colour = "green" if each.state == "SERVING" else "red"
        table.add_row(
            each.tier,
            f"[{colour}]{each.state}[/{colour}]",
            str(each.worker_pid or "-"),
            each.provider or "-",
            str(each.restarts),
            escape(": ".join(filter(None, (each.reason, each.detail)))),
        )
    return table
