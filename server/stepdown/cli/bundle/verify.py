"""`stepdown bundle verify`: would a server load this bundle, and why. Offline; what each step found is said.

Exit code 0: it would. 1: it would not. Refuses to hold any rule of its own: `trust` decides.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.keys import read_public_key, signer_name
from stepdown.adapters.trust_policy import SignedBy, read_trust_policy
from stepdown.cli.bundle.report import print_verified, verified_as_json
from stepdown.cli.options import DIRECTORY, FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command, remedy_for
from stepdown.domain.errors import TrustError
from stepdown.trust.examination import Finding, Outcome
from stepdown.trust.manifest import MANIFEST_FILE, parse_manifest
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy import TrustPolicy, policy_of_one_key
from stepdown.trust.semantic_version import is_version
from stepdown.trust.verification import explain_bundle, verify_bundle

_STYLES = {Outcome.PASSED: "green", Outcome.REFUSED: "bold red", Outcome.NOT_REACHED: "dim"}


@click.command("verify")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option(
    "--policy", type=FILE, envvar="STEPDOWN_TRUST_POLICY", show_envvar=True, help="Trust policy, as a server's."
)
@click.option("--policy-key", type=FILE, help="The public key that must have signed the policy.")
@click.option("--key", "key_file", type=FILE, help="Instead of a policy: the public key that must have signed.")
@click.option("--name", help="The name asked for. Default: from DIR, when it is .../NAME/VERSION, else the manifest's.")
@click.option("--version", help="The version asked for. Default: as for --name.")
@as_json_option
@refusals_end_the_command
def verify(
    *,
    directory: Path,
    policy: Path | None,
    policy_key: Path | None,
    key_file: Path | None,
    name: str | None,
    version: str | None,
    as_json: bool,
) -> None:
    """Verify the bundle in DIR exactly as a server does before it loads one, and say what each rule found."""
    trust_policy = _trust_policy(policy, policy_key, key_file)
    files = read_directory(directory)
    asked_name, asked_version = _asked_identity(directory, files.get(MANIFEST_FILE, b""))
    asked = (name or asked_name, version or asked_version)
    now_s = time.time()
    findings = explain_bundle(*asked, files, trust_policy, now_s)
    refused = next((finding for finding in findings if finding.outcome is Outcome.REFUSED), None)
    if refused is not None:
        _say_refused(findings, refused, as_json=as_json)
        sys.exit(1)
    verified = verify_bundle(*asked, files, trust_policy, now_s)
    if as_json:
        click.echo(json.dumps({**verified_as_json(verified), "steps": _steps(findings)}))
    else:
        _print_findings(findings)
        print_verified(Console(), verified)


def _say_refused(findings: Sequence[Finding], refused: Finding, *, as_json: bool) -> None:
    remedy = remedy_for(refused.rule)
    if as_json:
        said = {"rule": refused.rule, "detail": refused.detail, "remedy": remedy}
        click.echo(json.dumps({"verified": False, **said, "steps": _steps(findings)}))
    else:
        _print_findings(findings)
    click.echo(f"refused: {refused.rule}: {refused.detail}" + (f"\n{remedy}" if remedy else ""), err=True)


def _steps(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"step": each.step, "outcome": each.outcome.value, "rule": each.rule, "detail": each.detail}
        for each in findings
    ]


def _print_findings(findings: Sequence[Finding]) -> None:
    table = Table("step", "", "what was found", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for each in findings:
        said = f"{each.rule}: {each.detail}" if each.rule else each.detail
        table.add_row(each.step, f"[{_STYLES[each.outcome]}]{each.outcome.value}[/]", said)
    console = Console()
    console.print(table)
    console.print()


def _trust_policy(policy: Path | None, policy_key: Path | None, key_file: Path | None) -> TrustPolicy:
    if key_file is not None:
        return policy_of_one_key(signer_name(key_file), read_public_key(key_file))
    if policy is None:
        raise click.UsageError("name a trust policy with --policy, or a public key with --key")
    guard = SignedBy(key=policy_key) if policy_key is not None else None
    return read_trust_policy(policy, guard).policy


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
