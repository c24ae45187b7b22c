"""`stepdown bundle sign`: the command line of signing a bundle. Refuses to take a passphrase or a PIN as an argument.

An argument would stand in the process list and in the shell's history: a secret comes from a file or is asked for.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from stepdown.adapters.key_store.signing import token_certificate, token_signing_key
from stepdown.adapters.key_store.uri import is_token_uri
from stepdown.adapters.keys import (
    FileSigningKey,
    PassphraseRequiredError,
    SigningChain,
    create_signing_key,
    public_key_path,
    read_certificates,
    read_signing_chain,
    read_signing_key,
    signer_name,
)
from stepdown.cli.bundle.signing import SignedBundle, SignOrder, sign_bundle
from stepdown.cli.bundle.token_keys import opened_token
from stepdown.cli.options import DIRECTORY, FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command


@click.command("sign")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--key", required=True, help="Private key: EC P-256, P-384 or P-521, a PEM file or pkcs11:… in an HSM.")
@click.option("--create-key", is_flag=True, help="Make the key first if there is none, its public half beside it.")
@click.option("--passphrase-file", type=FILE, help="First line: the key's passphrase. Default: ask for it.")
@click.option(
    "--pin-file", type=FILE, help="First line: the HSM's PIN. Default: the URI's pin-source, else ask for it."
)
@click.option("--certificate", type=FILE, help="Code-signing certificate of the key, PEM.")
@click.option(
    "--certificate-in-token", is_flag=True, help="The certificate lies in the HSM, under the key's label or id."
)
@click.option("--chain", type=FILE, multiple=True, help="Certificates from its issuer towards the root, PEM.")
@click.option("--signer", help="Name of the signature file. Default: the key's name.")
@click.option("--discard-stale", is_flag=True, help="Remove signatures that no longer fit the files.")
@as_json_option
@refusals_end_the_command
def sign(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    directory: Path,
    key: str,
    create_key: bool,
    passphrase_file: Path | None,
    pin_file: Path | None,
    certificate: Path | None,
    certificate_in_token: bool,
    chain: tuple[Path, ...],
    signer: str | None,
    discard_stale: bool,
    as_json: bool,
) -> None:
    """Sign every file of the bundle in DIR."""
    if chain and certificate is None and not certificate_in_token:
        raise click.UsageError("--chain goes with --certificate or --certificate-in-token")
    paths = (certificate, *chain) if certificate is not None else ()
    if is_token_uri(key):
        if create_key or passphrase_file is not None:
            raise click.UsageError("--create-key and --passphrase-file go with a key in a file, not with pkcs11:…")
        order = _token_order(directory, key, pin_file, paths, chain if certificate_in_token else None)
    else:
        if pin_file is not None or certificate_in_token:
            raise click.UsageError("--pin-file and --certificate-in-token go with a key in an HSM, pkcs11:…")
        if not Path(key).exists():
            _make_key(Path(key), wanted=create_key)
        order = _file_order(directory, Path(key), passphrase_file, paths)
    signed = sign_bundle(replace(order, signer=signer or order.signer, discard_stale=discard_stale))
    _tell(signed, directory, public_key=None if is_token_uri(key) else public_key_path(Path(key)), as_json=as_json)


def _file_order(directory: Path, key: Path, passphrase_file: Path | None, paths: tuple[Path, ...]) -> SignOrder:
    return SignOrder(
        directory=directory,
        key=read_key(key, passphrase_file),
        signer=signer_name(key),
        chain=read_signing_chain(paths) if paths else SigningChain(),
    )


def _token_order(
    directory: Path, key: str, pin_file: Path | None, paths: tuple[Path, ...], beside: tuple[Path, ...] | None
) -> SignOrder:
    """`beside`: the certificates above the one that lies in the token; None when that one is not wanted."""
    token_key = opened_token(key, pin_file)
    chain = read_signing_chain(paths) if paths else SigningChain()
    if beside is not None:
        leaf = token_certificate(token_key)
        chain = SigningChain(certificates=(leaf, *read_certificates(beside)), source=str(token_key.uri))
    return SignOrder(
        directory=directory,
        key=token_signing_key(token_key),
        signer=token_key.uri.label or "hsm",
        chain=chain,
    )


def _tell(signed: SignedBundle, directory: Path, *, public_key: Path | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(signed)))
    else:
        _print(signed, directory, public_key)


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


def _print(signed: SignedBundle, directory: Path, public_key: Path | None) -> None:
    click.echo(f"Signed {signed.manifest.name} {signed.manifest.version}: {signed.signature}")
    click.echo(f"  digest  {signed.sha256}")
    click.echo(f"  key id  {signed.key_id}")
    for identity in signed.identities:
        click.echo(f"  as      {identity}")
    for name in signed.discarded:
        click.echo(f"  removed {name}, which no longer fitted")
    if not signed.identities and public_key is not None and public_key.exists():
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
