"""`stepdown bundle sign`: the command line of signing a bundle. Refuses to take a passphrase as an argument.

An argument would stand in the process list and in the shell's history: a passphrase comes from a file or is asked for.
"""

import json
import sys
from pathlib import Path

import click

from stepdown.adapters.keys import (
    FileSigningKey,
    PassphraseRequiredError,
    create_signing_key,
    public_key_path,
    read_signing_key,
    signer_name,
)
from stepdown.cli.bundle.signing import SignedBundle, SignOrder, sign_bundle
from stepdown.cli.options import DIRECTORY, FILE, NEW, as_json_option
from stepdown.cli.refusals import refusals_end_the_command


@click.command("sign")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--key", "key_file", type=NEW, required=True, help="Private key: EC P-256, P-384 or P-521, PEM.")
@click.option("--create-key", is_flag=True, help="Make the key first if there is none, its public half beside it.")
@click.option("--passphrase-file", type=FILE, help="First line: the key's passphrase. Default: ask for it.")
@click.option("--certificate", type=FILE, help="Code-signing certificate of the key, PEM.")
@click.option("--chain", type=FILE, multiple=True, help="Certificates from its issuer towards the root, PEM.")
@click.option("--signer", help="Name of the signature file. Default: the key file's name.")
@click.option("--discard-stale", is_flag=True, help="Remove signatures that no longer fit the files.")
@as_json_option
@refusals_end_the_command
def sign(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    directory: Path,
    key_file: Path,
    create_key: bool,
    passphrase_file: Path | None,
    certificate: Path | None,
    chain: tuple[Path, ...],
    signer: str | None,
    discard_stale: bool,
    as_json: bool,
) -> None:
    """Sign every file of the bundle in DIR."""
    if chain and certificate is None:
        raise click.UsageError("--chain goes with --certificate")
    if not key_file.exists():
        _make_key(key_file, wanted=create_key)
    signed = sign_bundle(
        SignOrder(
            directory=directory,
            key=read_key(key_file, passphrase_file),
            signer=signer if signer is not None else signer_name(key_file),
            certificates=(certificate, *chain) if certificate is not None else (),
            discard_stale=discard_stale,
        )
    )
    if as_json:
        click.echo(json.dumps(_as_json(signed)))
    else:
        _print(signed, directory, key_file)


def _make_key(key_file: Path, *, wanted: bool) -> None:
    if not wanted:
        raise click.BadParameter(f"{key_file} does not exist; --create-key makes one", param_hint="--key")
    public_key = create_signing_key(key_file)
    click.echo(f"Made {key_file} (keep it secret) and {public_key} (for trust policies).", err=True)


def read_key(key_file: Path, passphrase_file: Path | None) -> FileSigningKey:
    """The key, with its passphrase from a file or asked for. Raises: TrustError."""
    if passphrase_file is not None:
        first_line = passphrase_file.read_bytes().partition(b"\n")[0].removesuffix(b"\r")
        return read_signing_key(key_file, passphrase=first_line)
    try:
        return read_signing_key(key_file)
    except PassphraseRequiredError:
        if not sys.stdin.isatty():
            raise
    return read_signing_key(key_file, passphrase=click.prompt("Passphrase", hide_input=True, err=True).encode())


def _print(signed: SignedBundle, directory: Path, key_file: Path) -> None:
    click.echo(f"Signed {signed.manifest.name} {signed.manifest.version}: {signed.signature}")
    click.echo(f"  digest  {signed.sha256}")
    click.echo(f"  key id  {signed.key_id}")
    for identity in signed.identities:
        click.echo(f"  as      {identity}")
    for name in signed.discarded:
        click.echo(f"  removed {name}, which no longer fitted")
    public_key = public_key_path(key_file)
    if not signed.identities and public_key.exists():
        click.echo(f"Check it:\n  stepdown bundle verify {directory} --key {public_key}")
        click.echo("For a server to load it, its trust policy needs:")
        click.echo(f'  [[signer]]\n  name = "{public_key.name.partition(".")[0]}"\n  key = "{public_key.absolute()}"')
        click.echo(
            f'  [[bundle]]\n  names = ["{signed.manifest.name}"]\n  signers = ["{public_key.name.partition(".")[0]}"]'
        )


def _as_json(signed: SignedBundle) -> dict[str, object]:
    return {
        "name": signed.manifest.name,
        "version": signed.manifest.version,
        "sha256": signed.sha256,
        "signature": str(signed.signature),
        "key_id": signed.key_id,
        "identities": signed.identities,
        "discarded": signed.discarded,
    }
