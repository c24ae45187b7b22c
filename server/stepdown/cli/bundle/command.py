"""`stepdown bundle`: make, look at, sign and verify bundles, offline and without a server; activate them on one.

Exit code 0 when done, 1 when something is refused or cannot be done, 2 when the command line is wrong. Refuses to hold
any rule of its own: `trust` decides, this turns a command line into a call and the result into text.
"""

import json
from pathlib import Path

import click
from rich.console import Console

from stepdown.adapters.bundle_directory import read_directory
from stepdown.cli.bundle.activation import activate, rollback
from stepdown.cli.bundle.encrypt import encrypt
from stepdown.cli.bundle.init import init
from stepdown.cli.bundle.report import facts_as_json, gather_facts, print_facts
from stepdown.cli.bundle.sign import sign
from stepdown.cli.bundle.verify import verify
from stepdown.cli.options import DIRECTORY, as_json_option
from stepdown.cli.refusals import refusals_end_the_command


@click.group("bundle")
def bundle() -> None:
    """Make, inspect, sign and verify model and rule bundles, and change those of a running server."""


@bundle.command("inspect")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@as_json_option
@refusals_end_the_command
def inspect(*, directory: Path, as_json: bool) -> None:
    """Show what the bundle in DIR says of itself, without believing it."""
    facts = gather_facts(read_directory(directory))
    if as_json:
        click.echo(json.dumps(facts_as_json(facts)))
    else:
        print_facts(Console(), facts)


bundle.add_command(activate)
bundle.add_command(encrypt)
bundle.add_command(init)
bundle.add_command(rollback)
bundle.add_command(sign)
bundle.add_command(verify)
