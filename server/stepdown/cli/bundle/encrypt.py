"""`stepdown bundle encrypt`: seal a bundle's model and weights for whoever holds a key.

Writes another folder and leaves the first as it is: overwriting a file does not take its bytes off a disk. The result
is signed afterwards, so that what is signed is what is shipped. Refuses rules, bundles that no server would load, and a
PIN or key as an argument.
"""

import hashlib
import json
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.key_store.uri import is_token_uri
from stepdown.adapters.key_store.wrapping_key import FileWrappingKey, TokenWrappingKey, new_data_key
from stepdown.cli.bundle.token_keys import opened_token
from stepdown.cli.options import DIRECTORY, FILE, NEW, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from stepdown.trust.encryption import (
    ENCRYPTION_FILE,
    SALT_BYTES,
    Encryption,
    SealedMember,
    WrappedKey,
    render_encryption,
    sealable_files,
)
from stepdown.trust.encryption_chunks import FileBinding, seal_file
from stepdown.trust.names import is_signature
from stepdown.trust.refusal import TrustRule


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBundle:
    """What was made: the files without signatures, and their encryption."""

    files: Mapping[str, bytes]
    encryption: Encryption


@click.command("encrypt")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option(
    "--key", required=True, help="Wrapping key: 64 hex digits or RSA PEM (public is enough) in a file, or pkcs11:…."
)
@click.option("--out", type=NEW, required=True, metavar="DIR", help="The new folder, such as …/NAME/VERSION.")
@click.option(
    "--pin-file", type=FILE, help="First line: the HSM's PIN. Default: the URI's pin-source, else ask for it."
)
@click.option("--oaep-sha1", is_flag=True, help="RSA: for tokens whose OAEP knows SHA-1 only. Default: SHA-256.")
@as_json_option
@refusals_end_the_command
def encrypt(*, directory: Path, key: str, out: Path, pin_file: Path | None, oaep_sha1: bool, as_json: bool) -> None:
    """Seal the model and weights of the bundle in DIR under a new data key, wrapped by KEY, into another folder."""
    if out.exists():
        raise click.BadParameter(f"{out} exists; an encrypted bundle is a new folder", param_hint="--out")
    if is_token_uri(key):
        wrapping: FileWrappingKey | TokenWrappingKey = TokenWrappingKey(key=opened_token(key, pin_file))
    else:
        wrapping = FileWrappingKey(path=Path(key))
    sealed = _sealed(read_directory(directory), wrapping, oaep_sha1=oaep_sha1)
    _write(out, sealed.files)
    if as_json:
        click.echo(json.dumps(_as_json(sealed, out)))
    else:
        _print(sealed, out)


def _sealed(files: Mapping[str, bytes], key: FileWrappingKey | TokenWrappingKey, *, oaep_sha1: bool) -> SealedBundle:
    contents = {name: content for name, content in files.items() if not is_signature(name)}
    manifest = examine_contents(contents)
    if ENCRYPTION_FILE in contents:
        raise _refusal("the bundle is encrypted already; encrypt the one it was made from")
    if not sealable_files(manifest):
        raise _refusal("rules are published and run in the server itself; only models are encrypted")
    data_key, salt = new_data_key(), secrets.token_bytes(SALT_BYTES)
    members = tuple(
        SealedMember(
            binding=FileBinding(
                bundle=manifest.name, version=manifest.version, path=path, plain_bytes=len(contents[path])
            ),
            sha256=hashlib.sha256(contents[path]).hexdigest(),
        )
        for path in sealable_files(manifest)
    )
    wrapped: WrappedKey = key.wrap(data_key, bundle=manifest.name, version=manifest.version, oaep_sha1=oaep_sha1)
    encryption = Encryption(
        bundle=manifest.name, version=manifest.version, salt=salt, data_key=wrapped, members=members
    )
    sealed = {
        member.binding.path: seal_file(contents[member.binding.path], member.binding, data_key=data_key, salt=salt)
        for member in members
    }
    made = {**contents, **sealed, ENCRYPTION_FILE: render_encryption(encryption)}
    examine_contents(made)
    return SealedBundle(files=made, encryption=encryption)


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """The folder appears whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as temporary:
        made = Path(temporary) / "bundle"
        made.mkdir(mode=0o755)
        for name, content in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        made.rename(out)


def _print(sealed: SealedBundle, out: Path) -> None:
    encryption = sealed.encryption
    click.echo(f"Made {out}: {encryption.bundle} {encryption.version}, encrypted")
    for member in encryption.members:
        click.echo(f"  sealed    {member.binding.path}  {member.binding.plain_bytes:,} bytes")
    click.echo(f"  data key  wrapped by {encryption.data_key.key} ({encryption.data_key.wrapping})")
    click.echo(f"Sign it:\n  stepdown bundle sign {out} --key …")
    click.echo("On the server: trust.decryption_keys. Then remove the folder it was made from: it holds the model.")


def _as_json(sealed: SealedBundle, out: Path) -> dict[str, object]:
    encryption = sealed.encryption
    return {
        "directory": str(out),
        "name": encryption.bundle,
        "version": encryption.version,
        "wrapping": encryption.data_key.wrapping,
        "key": encryption.data_key.key,
        "sealed": [member.binding.path for member in encryption.members],
    }


def _refusal(problem: str) -> TrustError:
    return TrustError(rule=TrustRule.ENCRYPTION_INVALID, detail=problem)
