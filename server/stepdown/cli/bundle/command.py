"""`stepdown bundle`: make, look at, sign and verify bundles, offline and without a server; activate them on one.

Exit code 0 when done, 1 when something is refused or cannot be done, 2 when the command line is wrong. Refuses to hold
any rule of its own: `trust` decides, this turns a command line into a call and the result into text.
"""

import json
import time
from pathlib import Path

import click
from rich.console import Console

from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.keys import read_public_key, read_trust_policy, signer_name
from stepdown.cli.bundle.activation import activate, rollback
from stepdown.cli.bundle.init import init
from stepdown.cli.bundle.report import (
    facts_as_json,
    gather_facts,
    print_facts,
    print_verified,
    verified_as_json,
)
from stepdown.cli.bundle.sign import sign
from stepdown.cli.options import DIRECTORY, FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.domain.errors import TrustError
from stepdown.trust.manifest import MANIFEST_FILE, parse_manifest
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy import TrustPolicy, policy_of_one_key
from stepdown.trust.semantic_version import is_version
from stepdown.trust.verification import verify_bundle


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


@bundle.command("verify")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option(
    "--policy", type=FILE, envvar="STEPDOWN_TRUST_POLICY", show_envvar=True, help="Trust policy, as a server's."
)
@click.option("--key", "key_file", type=FILE, help="Instead of a policy: the public key that must have signed.")
@click.option("--name", help="The name asked for. Default: from DIR, when it is .../NAME/VERSION, else the manifest's.")
@click.option("--version", help="The version asked for. Default: as for --name.")
@as_json_option
@refusals_end_the_command
def verify(
    *, directory: Path, policy: Path | None, key_file: Path | None, name: str | None, version: str | None, as_json: bool
) -> None:
    """Verify the bundle in DIR exactly as a server does before it loads one."""
    trust_policy = _trust_policy(policy, key_file)
    files = read_directory(directory)
    asked_name, asked_version = _asked_identity(directory, files.get(MANIFEST_FILE, b""))
    verified = verify_bundle(name or asked_name, version or asked_version, files, trust_policy, time.time())
    if as_json:
        click.echo(json.dumps(verified_as_json(verified)))
    else:
        print_verified(Console(), verified)


def _trust_policy(policy: Path | None, key_file: Path | None) -> TrustPolicy:
    if key_file is not None:
        return policy_of_one_key(signer_name(key_file), read_public_key(key_file))
    if policy is None:
        raise click.UsageError("name a trust policy with --policy, or a public key with --key")
    return read_trust_policy(policy)


def _asked_identity(directory: Path, manifest: bytes) -> tuple[str, str]:
    """Where a bundle lies says which one it must be, as to a server; a loose one can only speak for itself."""
    place = directory.resolve()
    if is_version(place.name) and is_bundle_name(place.parent.name):
        return place.parent.name, place.name
    try:
        spoken = parse_manifest(manifest)
    except TrustError:
        return "", ""  # verification says what is wrong, beginning with whether this is what was signed
    return spoken.name, spoken.version


bundle.add_command(activate)
bundle.add_command(init)
bundle.add_command(rollback)
bundle.add_command(sign)
