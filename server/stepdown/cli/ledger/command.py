"""`stepdown ledger`: the group, and the public half of a key.

Exit code 0 when all is well, 1 when something is not what was signed or cannot be done, 2 for a wrong command line.
"""

import click

from stepdown.adapters.ledger.signing_key import read_checkpoint_key
from stepdown.cli.ledger.prove import prove
from stepdown.cli.ledger.show import show
from stepdown.cli.ledger.verify import verify
from stepdown.cli.refusals import refusals_end_the_command


@click.group("ledger")
def ledger() -> None:
    """Check a ledger, show a record, prove that it is there."""


@ledger.command("key")
@click.option("--signing-key", required=True, help="The Ed25519 key that signs checkpoints: PEM file or pkcs11:….")
@click.option("--name", required=True, help="The ledger's name, as in the server's settings.")
@refusals_end_the_command
def key(*, signing_key: str, name: str) -> None:
    """Print the public key, on one line, for those who verify."""
    click.echo(read_checkpoint_key(signing_key, name=name).signer.key.line())


ledger.add_command(verify)
ledger.add_command(show)
ledger.add_command(prove)
