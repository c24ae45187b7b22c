"""Putting a signature on a bundle in a folder.

Refuses to sign what no server would load, to leave signatures beside the new one that no longer fit the files, and to
sign with a certificate that verification would turn away.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.keys import SigningChain, replace_file
from stepdown.domain.bundles import Manifest
from stepdown.domain.errors import StepdownError, TrustError
from stepdown.trust.contents import examine_contents
from stepdown.trust.digests import bundle_digest
from stepdown.trust.envelope import parse_envelope
from stepdown.trust.file_set import check_file_set
from stepdown.trust.names import SIGNATURE_DIRECTORY, check_names, is_signature
from stepdown.trust.public_keys import key_id
from stepdown.trust.refusal import TrustRule
from stepdown.trust.signing import SigningKey, check_signing_certificate, sign_files
from stepdown.trust.statement import parse_statement


class StaleSignatureError(StepdownError):
    """A signature already there does not fit the files any more, so the bundle would be refused with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOrder:
    """What to sign, with which key, and under whose name the signature file goes.

    `chain`: when the signature is to be bound to a certificate.
    """

    directory: Path
    key: SigningKey
    signer: str
    chain: SigningChain = field(default_factory=SigningChain)
    discard_stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBundle:
    """What was signed, and by whom. `identities` are the names a certificate gives the signer."""

    manifest: Manifest
    sha256: str
    signature: Path
    key_id: str
    identities: tuple[str, ...]
    discarded: tuple[str, ...]


def sign_bundle(order: SignOrder) -> SignedBundle:
    """Sign every file of the bundle and write `signatures/<signer>.sig`, in place of an earlier one of that name.

    Raises: TrustError, StaleSignatureError, OSError.
    """
    own = _signature_name(order.signer)
    files = read_directory(order.directory)
    contents = {name: content for name, content in files.items() if not is_signature(name)}
    manifest = examine_contents(contents)
    signature, identities = _sign(order, contents, subject=f"{manifest.name}@{manifest.version}")
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in {**files, own: signature}.items()}
    others = (name for name in sorted(files) if is_signature(name) and name != own)
    stale = tuple(name for name in others if not _fits(files[name], digests, what=name))
    if stale and not order.discard_stale:
        raise StaleSignatureError(
            f"{', '.join(stale)} does not fit the files as they are. Have it made again, or discard it: --discard-stale"
        )
    path = order.directory / own
    path.parent.mkdir(exist_ok=True)
    replace_file(path, signature, mode=0o644)
    for name in stale:
        (order.directory / name).unlink()
    return SignedBundle(
        manifest=manifest,
        sha256=bundle_digest(digests),
        signature=path,
        key_id=key_id(order.key.public_key),
        identities=tuple(sorted(identities)),
        discarded=stale,
    )


def _signature_name(signer: str) -> str:
    name = f"{SIGNATURE_DIRECTORY}/{signer}.sig"
    check_names([name])
    if "/" in signer:
        raise TrustError(rule=TrustRule.FILE_NAME_UNSAFE, detail=f"{signer!a} cannot name a signature file")
    return name


def _sign(order: SignOrder, contents: Mapping[str, bytes], *, subject: str) -> tuple[bytes, frozenset[str]]:
    """The signature file, and the names its certificate gives the signer."""
    identities: frozenset[str] = frozenset()
    certificates = order.chain.certificates
    if certificates:
        identities = check_signing_certificate(certificates[0], order.key, now_s=time.time(), what=order.chain.source)
    signature = sign_files(contents, order.key, subject=subject, certificates=certificates, signed_time_s=time.time())
    return signature, identities


def _fits(signature: bytes, digests: Mapping[str, str], *, what: str) -> bool:
    try:
        signed = parse_statement(parse_envelope(signature, what=what).payload, what=what)
        check_file_set(signed=signed.files, present=digests)
    except TrustError:
        return False
    return True
