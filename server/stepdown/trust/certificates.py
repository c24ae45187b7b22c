"""Certificates of signers: is this chain one that may sign bundles now, and whom does it name.

The leaf must be a code-signing certificate with a critical digital-signature key usage and a subject alternative name,
valid at the time asked about, not at a time of the signer's choosing. The chain must end in one of the policy's roots
and hold nothing that the path does not use. Refuses to fetch anything: revocation is the policy's denylist.

Sources: RFC 5280 §4.2.1, §6; <https://cryptography.io/en/latest/x509/verification/>.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    ClientVerifier,
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from stepdown.domain.bundles import CertificateReference
from stepdown.domain.errors import TrustError
from stepdown.trust.documents import quoted
from stepdown.trust.public_keys import supported_key
from stepdown.trust.refusal import TrustRule

IDENTITY_PREFIXES = ("uri:", "email:", "dns:")
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)
CLOCK_TOLERANCE_S = 300.0
"""How far the clocks of a signer and a server may be apart."""
_MAXIMUM_CHAIN_DEPTH = 4
# All that reading a hostile certificate was seen to raise: the library parses extensions and keys when first asked.
_LIBRARY_ERRORS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # an error where warnings are errors
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedKey:
    """A leaf's key and the names its certificate gives, as `uri:…`, `email:…` or `dns:…`. No chain is implied."""

    public_key: EllipticCurvePublicKey
    identities: frozenset[str]


def parse_certificates(der: tuple[bytes, ...], *, what: str) -> tuple[x509.Certificate, ...]:
    """Certificates from DER, leaf first. Raises: TrustError CERTIFICATE_MALFORMED."""
    try:
        certificates = tuple(x509.load_der_x509_certificate(certificate) for certificate in der)
    except _LIBRARY_ERRORS as error:
        raise _malformed(what) from error
    if any(certificate.serial_number <= 0 for certificate in certificates):
        raise _malformed(what)  # RFC 5280 §4.1.2.2, and a denylist could not name it
    return certificates


def load_certificates(pem: bytes, *, what: str) -> tuple[x509.Certificate, ...]:
    """Certificates from a PEM file, in its order. Raises: TrustError CERTIFICATE_MALFORMED."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except _LIBRARY_ERRORS as error:
        raise _malformed(what) from error


def encode_certificate(certificate: x509.Certificate) -> bytes:
    """The certificate's DER."""
    return certificate.public_bytes(Encoding.DER)


def check_leaf(leaf: x509.Certificate, *, now_s: float, what: str) -> CertifiedKey:
    """Whether a certificate may sign bundles, whoever issued it.

    Raises: TrustError CERTIFICATE_MALFORMED, _EXPIRED, _NOT_YET_VALID, _PURPOSE, _IDENTITY or KEY_UNSUPPORTED.
    """
    try:
        check_period(leaf, now_s=now_s, what=what)
        _check_purpose(leaf, what=what)
        identities = frozenset(_identities(leaf))
        public_key = supported_key(leaf.public_key(), what=f"the key certified in {what}")
    except _LIBRARY_ERRORS as error:
        raise _malformed(what) from error
    if not identities:
        raise TrustError(
            rule=TrustRule.CERTIFICATE_IDENTITY,
            detail=f"{what}: the certificate has no URI, e-mail or DNS subject alternative name",
        )
    return CertifiedKey(public_key=public_key, identities=identities)


def check_chain(
    chain: tuple[x509.Certificate, ...], *, roots: tuple[x509.Certificate, ...], now_s: float, what: str
) -> tuple[x509.Certificate, ...]:
    """The path from the leaf to one of `roots`, root included.

    Raises: TrustError CERTIFICATE_EXPIRED or _NOT_YET_VALID for any certificate presented, CERTIFICATE_UNTRUSTED when
    no path holds or a certificate is presented that the path does not use, CERTIFICATE_MALFORMED.
    """
    try:
        for certificate in chain:
            check_period(certificate, now_s=now_s, what=what)
        path = tuple(_path_verifier(roots, now_s=now_s).verify(chain[0], list(chain[1:])).chain)
    except VerificationError as error:
        raise TrustError(
            rule=TrustRule.CERTIFICATE_UNTRUSTED,
            detail=f"{what}: no path to a root of the policy ({quoted(str(error), characters=200)})",
        ) from error
    except _LIBRARY_ERRORS as error:
        raise _malformed(what) from error
    if len(set(chain)) != len(chain) or not set(chain) <= set(path):
        raise TrustError(
            rule=TrustRule.CERTIFICATE_UNTRUSTED, detail=f"{what}: holds a certificate that the path does not use"
        )
    return path


def certified_key_id(certificate: x509.Certificate) -> str:
    """Hex sha256 of the certified key's SubjectPublicKeyInfo, whatever kind of key it is."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def reference_to(certificate: x509.Certificate) -> CertificateReference:
    """What a denylist can call this certificate."""
    return CertificateReference(
        issuer=certificate.issuer.rfc4514_string(),
        serial=serial_number(certificate),
        key_id=certified_key_id(certificate),
    )


def serial_number(certificate: x509.Certificate) -> str:
    """The serial number as lower-case hexadecimal without leading zeros."""
    return f"{certificate.serial_number:x}"


def describe_identities(identities: frozenset[str]) -> str:
    """Names from a certificate, fit for a message."""
    return ", ".join(quoted(identity) for identity in sorted(identities))


def _path_verifier(roots: tuple[x509.Certificate, ...], *, now_s: float) -> ClientVerifier:
    def check_authority_usage(_: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
        # RFC 5280 asks every authority for a key usage; roots made by `openssl req -x509` have none, and a root is
        # trusted because the policy names it.
        permitted = certificate in roots if usage is None else usage.key_cert_sign
        if not permitted:
            raise ValueError("an issuer's key usage does not include certificate signing")

    authority = (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, check_authority_usage)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _check_authority_purpose)
    )
    leaf = (
        ExtensionPolicy.permit_all()
        .require_present(x509.KeyUsage, Criticality.CRITICAL, None)
        .require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
        .require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    )
    return (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(datetime.fromtimestamp(now_s, UTC))
        .max_chain_depth(_MAXIMUM_CHAIN_DEPTH)
        .extension_policies(ca_policy=authority, ee_policy=leaf)
        .build_client_verifier()
    )


def _check_authority_purpose(_: Policy, __: x509.Certificate, purposes: x509.ExtendedKeyUsage | None) -> None:
    """An authority whose purposes are limited must be one for code signing: its leaves are."""
    permitted = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and permitted.isdisjoint(purposes):
        raise ValueError("an issuer's extended key usage does not include code signing")


def check_period(certificate: x509.Certificate, *, now_s: float, what: str) -> None:
    """Whether it is valid at that time. Raises: TrustError CERTIFICATE_EXPIRED or CERTIFICATE_NOT_YET_VALID."""
    now = datetime.fromtimestamp(now_s, UTC)
    if now < certificate.not_valid_before_utc:
        since = certificate.not_valid_before_utc.isoformat()
        raise TrustError(
            rule=TrustRule.CERTIFICATE_NOT_YET_VALID, detail=f"{what}: a certificate is valid from {since}"
        )
    if now > certificate.not_valid_after_utc:
        until = certificate.not_valid_after_utc.isoformat()
        raise TrustError(rule=TrustRule.CERTIFICATE_EXPIRED, detail=f"{what}: a certificate was valid until {until}")


def _check_purpose(leaf: x509.Certificate, *, what: str) -> None:
    for problem in _purpose_problems(leaf):
        raise TrustError(rule=TrustRule.CERTIFICATE_PURPOSE, detail=f"{what}: the certificate {problem}")


def _purpose_problems(leaf: x509.Certificate) -> Iterator[str]:
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.critical or not usage.value.digital_signature:
        yield "has no critical key usage that includes digital signatures"
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes.value:
        yield "is not for code signing (extended key usage)"
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        yield "is an authority's, which issues certificates and signs nothing else"


def _extension(leaf: x509.Certificate, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
    try:
        return leaf.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _identities(leaf: x509.Certificate) -> Iterator[str]:
    names = _extension(leaf, x509.SubjectAlternativeName)
    if names is None:
        return
    yield from ("uri:" + value for value in names.value.get_values_for_type(x509.UniformResourceIdentifier))
    yield from ("email:" + value for value in names.value.get_values_for_type(x509.RFC822Name))
    yield from ("dns:" + value for value in names.value.get_values_for_type(x509.DNSName))


def _malformed(what: str) -> TrustError:
    return TrustError(rule=TrustRule.CERTIFICATE_MALFORMED, detail=f"{what}: a certificate cannot be read")
