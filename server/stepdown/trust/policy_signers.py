"""The signers a trust policy knows, and reading them from its `[[signer]]` tables.

A signer is known by a key, or by what a certificate under given roots calls it; never by both, and never by the common
name, which no standard binds to anybody. Refuses two entries that one person could use to count as two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import Certificate

from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import IDENTITY_PREFIXES, load_certificates
from stepdown.trust.fields import Fields
from stepdown.trust.public_keys import key_id, load_public_key
from stepdown.trust.refusal import TrustRule


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """A signer known by a public key. Signers with the same `person` count as one."""

    name: str
    key_id: str
    public_key: EllipticCurvePublicKey = field(repr=False)
    person: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSigner:
    """A signer known by what a certificate calls it, when one of `roots` vouches for that certificate.

    Signers with the same `person` count as one.
    """

    name: str
    roots: tuple[Certificate, ...] = field(repr=False)
    identities: frozenset[str]
    person: str
    roles: frozenset[str] = frozenset()


Signer: TypeAlias = KeySigner | CertificateSigner


def read_signers(fields: Fields, keys: Mapping[str, bytes]) -> tuple[Signer, ...]:
    """The signers of `[[signer]]`, with the bytes of the files they name; problems go to `fields`."""
    read = (_read_signer(table, keys) for table in fields.tables("signer"))
    signers = tuple(signer for signer in read if signer is not None)
    for what, values in (
        ("name", [signer.name for signer in signers]),
        ("key", [signer.key_id for signer in signers if isinstance(signer, KeySigner)]),
        (
            "identity",
            [name for signer in signers if isinstance(signer, CertificateSigner) for name in signer.identities],
        ),
    ):
        if len(set(values)) != len(values):
            fields.problem("signer", f"lists two signers with the same {what}")
    return signers


def _read_signer(fields: Fields, keys: Mapping[str, bytes]) -> Signer | None:
    name = fields.text("name")
    kind = "key" if fields.holds("key") else "roots"
    if fields.holds("key") and fields.holds("roots"):
        fields.problem("key", "and roots exclude each other: a signer is known by one or the other")
    try:
        return _read_key(name, fields, keys) if kind == "key" else _read_certificate(name, fields, keys)
    except TrustError as error:
        fields.problem(kind, error.detail)
        return None


def _read_key(name: str, fields: Fields, keys: Mapping[str, bytes]) -> KeySigner:
    file, person, roles = fields.text("key"), _person(fields, name), frozenset(fields.texts("roles"))
    wanted = fields.text("key_id", default="").lower().replace(":", "")
    public_key = load_public_key(_bytes_of(file, keys), what=file)
    if wanted and wanted != key_id(public_key):
        fields.problem("key_id", f"is not that of the key in {file}")
    return KeySigner(name=name, key_id=key_id(public_key), public_key=public_key, person=person, roles=roles)


def _read_certificate(name: str, fields: Fields, keys: Mapping[str, bytes]) -> CertificateSigner:
    files = fields.texts("roots", required=True)
    identities = fields.texts("identities", required=True)
    person, roles = _person(fields, name), frozenset(fields.texts("roles"))
    if not all(identity.startswith(IDENTITY_PREFIXES) for identity in identities):
        fields.problem("identities", f"must each begin with one of {' '.join(IDENTITY_PREFIXES)}")
    roots = tuple(root for file in files for root in load_certificates(_bytes_of(file, keys), what=file))
    return CertificateSigner(name=name, roots=roots, identities=frozenset(identities), person=person, roles=roles)


def _person(fields: Fields, name: str) -> str:
    return fields.text("person", default="") or name


def _bytes_of(file: str, keys: Mapping[str, bytes]) -> bytes:
    if file not in keys:
        raise TrustError(rule=TrustRule.POLICY_INVALID, detail=f"{file!a} could not be read")
    return keys[file]
