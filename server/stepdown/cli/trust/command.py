"""`stepdown trust`: sign and check trust policies, and go below a version floor on purpose. Offline.

Exit code 0 when done, 1 when something is refused, 2 when the command line is wrong.
"""

import getpass
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from stepdown.adapters.keys import replace_file
from stepdown.adapters.trust_policy import OwnedBy, SignedBy, policy_files, read_trust_policy
from stepdown.adapters.trust_state import LoweredFloor, TrustState
from stepdown.cli.bundle.sign import read_key
from stepdown.cli.options import DIRECTORY, FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy_signature import SUFFIX, sign_policy
from stepdown.trust.public_keys import key_id
from stepdown.trust.semantic_version import is_version


@click.group("trust")
def trust() -> None:
    """Sign and check trust policies; lower a version floor."""


@trust.command("sign")
@click.argument("policy", type=FILE)
@click.option("--key", "key_file", type=FILE, required=True, help="Private key: EC P-256, P-384 or P-521, PEM.")
@click.option("--passphrase-file", type=FILE, help="First line: the key's passphrase. Default: ask for it.")
@refusals_end_the_command
def sign(*, policy: Path, key_file: Path, passphrase_file: Path | None) -> None:
    """Sign POLICY and every key and root it names, into POLICY.sig."""
    read_trust_policy(policy)
    key = read_key(key_file, passphrase_file)
    beside = policy.with_name(policy.name + SUFFIX)
    replace_file(beside, sign_policy(policy_files(policy), key, now_s=time.time()), mode=0o644)
    click.echo(f"Signed {policy}: {beside}")
    click.echo(f"  key id  {key_id(key.public_key)}")


@trust.command("check")
@click.argument("policy", type=FILE)
@click.option("--policy-key", type=FILE, help="The public key that must have signed it. Default: root must own it.")
@as_json_option
@refusals_end_the_command
def check(*, policy: Path, policy_key: Path | None, as_json: bool) -> None:
    """Read POLICY as a server in production does, and say what is wrong with it."""
    stored = read_trust_policy(policy, SignedBy(key=policy_key) if policy_key is not None else OwnedBy())
    said = {
        "policy": str(policy),
        "edition": stored.policy.edition,
        "sha256": stored.sha256,
        "signers": [signer.name for signer in stored.policy.signers],
        "bundles": sorted(stored.policy.bundles),
    }
    click.echo(json.dumps(said) if as_json else "\n".join(f"{key:8} {value}" for key, value in said.items()))


@trust.command("lower-floor")
@click.argument("state_directory", metavar="STATE_DIR", type=DIRECTORY)
@click.argument("bundle")
@click.argument("version")
@click.option("--why", required=True, help="One line for the colleagues and the ledger; no patient data.")
@refusals_end_the_command
def lower_floor(*, state_directory: Path, bundle: str, version: str, why: str) -> None:
    """Let VERSION of BUNDLE serve again although a newer one has served. The server must be stopped.

    The act is put on the ledger when the server starts. While it runs, use: stepdown bundle rollback.
    """
    if not is_bundle_name(bundle) or not is_version(version):
        raise click.UsageError("name a bundle and a semantic version, such as: sepsis-full 1.0.0")
    if not why.isprintable() or not why.strip():
        raise click.BadParameter("must be one line of text", param_hint="--why")
    state = TrustState(state_directory)
    state.hold()
    try:
        before = state.floors().get(bundle, "")
        act = LoweredFloor(
            bundle=bundle,
            before=before,
            version=version,
            by=f"{getpass.getuser()} ({os.getuid()})",
            why=why,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        state.lower(act)
    finally:
        state.release()
    click.echo(f"{bundle}: the floor was {before or 'not set'} and is {version} now")
