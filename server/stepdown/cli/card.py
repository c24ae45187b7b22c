"""`stepdown card`: the model card of a bundle, as the running server discloses it."""

import json
import sys

import click
from rich.console import Console
from rich.table import Table

from stepdown.cli.options import as_json_option
from stepdown.cli.target import Target, target_options
from stepdown.client import AssessmentError
from stepdown.client.catalog import model_card

_TITLES = {
    "bundle": "Bundle",
    "provenance": "Provenance (SLSA), as its signers vouch for it",
    "hti1": "Source attributes (45 CFR 170.315(b)(11)(iv)(B))",
    "evidence": "Source attributes of evidence-based rules (45 CFR 170.315(b)(11)(iv)(A))",
    "chai": "Applied model card (CHAI)",
}


@click.command()
@click.argument("name")
@click.option("--version", default="", help="The version; the one in service when left out.")
@as_json_option
@target_options
def card(*, name: str, version: str, as_json: bool, target: Target) -> None:
    """Show the model card of the bundle NAME."""
    try:
        sections = model_card(target.address, target.credentials, bundle=name, version=version)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        sys.stdout.write(json.dumps({section: dict(pairs) for section, pairs in sections.items()}, indent=2) + "\n")
        return
    console = Console()
    for section, pairs in sections.items():
        if pairs:
            table = Table("attribute", "value", title=_TITLES[section], title_justify="left")
            for title, value in pairs:
                table.add_row(title, value)
            console.print(table)
