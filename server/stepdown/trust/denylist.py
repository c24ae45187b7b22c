"""What is refused whoever vouches for it, and whether something that was accepted before has been denied since.

A certificate is named by its issuer and serial number, as every authority's revocation list does, or by the serial
alone. Refuses to take a name back: that is an edit of the policy, by whoever may make one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from stepdown.domain.bundles import CertificateReference, SignerIdentity, VerifiedBundle
from stepdown.domain.errors import TrustError
from stepdown.trust.fields import Fields
from stepdown.trust.refusal import TrustRule

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_SERIAL_HEX = re.compile(r"[0-9a-f]{1,40}")  # RFC 5280 §4.1.2.2: at most 20 octets

DENIALS = frozenset({TrustRule.KEY_DENIED, TrustRule.CERTIFICATE_DENIED, TrustRule.BUNDLE_DENIED})
"""The rules that stop a bundle in service as soon as they apply to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denylist:
    """Key ids, bundle digests, certificate serials of any issuer, and (issuer, serial); all hex in lower case."""

    key_ids: frozenset[str] = frozenset()
    bundle_digests: frozenset[str] = frozenset()
    certificate_serials: frozenset[str] = frozenset()
    certificates: frozenset[tuple[str, str]] = frozenset()

    def denies_certificate(self, certificate: CertificateReference) -> bool:
        """Whether it is denied by its number, or by issuer and number."""
        issued = (comparable_name(certificate.issuer), certificate.serial)
        return certificate.serial in self.certificate_serials or issued in self.certificates


def check_signer(signer: SignerIdentity, denylist: Denylist, *, what: str) -> None:
    """Whether neither the key nor a certificate up to the root is denied.

    Raises: TrustError KEY_DENIED or CERTIFICATE_DENIED; `what` is whatever the signer signed.
    """
    for certificate in signer.path:
        if denylist.denies_certificate(certificate):
            raise TrustError(
                rule=TrustRule.CERTIFICATE_DENIED,
                detail=f"{what}: the certificate with serial {certificate.serial} is on the denylist",
            )
    for key_id in (signer.key_id, *(certificate.key_id for certificate in signer.path)):
        if key_id in denylist.key_ids:
            raise TrustError(rule=TrustRule.KEY_DENIED, detail=f"{what}: key {key_id} is on the denylist")


def check_digest(sha256: str, denylist: Denylist) -> None:
    """Whether the bundle with this digest is not denied. Raises: TrustError BUNDLE_DENIED."""
    if sha256 in denylist.bundle_digests:
        raise TrustError(rule=TrustRule.BUNDLE_DENIED, detail=f"the bundle with digest {sha256} is on the denylist")


def denial_of(bundle: VerifiedBundle, denylist: Denylist) -> TrustError | None:
    """Why a bundle that was verified once is denied now, or None."""
    try:
        check_digest(bundle.sha256, denylist)
        for signer in bundle.signers:
            check_signer(signer, denylist, what=f"the signature of {signer.name}")
    except TrustError as denial:
        return denial
    return None


def read_denylist(fields: Fields) -> Denylist:
    """`[denylist]` of a policy; problems go to `fields`."""
    return Denylist(
        key_ids=_hexadecimal(fields, "key_ids", _SHA256_HEX),
        bundle_digests=_hexadecimal(fields, "bundle_digests", _SHA256_HEX),
        certificate_serials=frozenset(map(_serial, _hexadecimal(fields, "certificate_serials", _SERIAL_HEX))),
        certificates=frozenset(_read_certificates(fields)),
    )


def comparable_name(issuer: str) -> str:
    """A distinguished name as it is compared: two that differ in letter case or spaces only are one."""
    return "".join(issuer.split()).casefold()


def _read_certificates(fields: Fields) -> Iterator[tuple[str, str]]:
    for table in fields.tables("certificates"):
        issuer = table.text("issuer", accepts=_is_name, wanted="a name as in RFC 4514: openssl x509 -nameopt RFC2253")
        serial = _normal(table.text("serial", accepts=_is_serial, wanted="a hexadecimal number"))
        yield comparable_name(_rewritten(issuer)) if issuer else "", _serial(serial)


def _is_name(text: str) -> bool:
    try:
        return bool(_rewritten(text))
    except ValueError:
        return False


def _rewritten(issuer: str) -> str:
    """As certificates' own names are written; openssl prints an e-mail address by a name that RFC 4514 lacks."""
    return x509.Name.from_rfc4514_string(issuer, {"emailAddress": NameOID.EMAIL_ADDRESS}).rfc4514_string()


def _is_serial(text: str) -> bool:
    return _SERIAL_HEX.fullmatch(_normal(text)) is not None


def _serial(text: str) -> str:
    return text.lstrip("0") or "0"


def _normal(text: str) -> str:
    """Numbers as operators paste them: `openssl x509 -serial` prints capitals, others put colons between octets."""
    return text.lower().replace(":", "")


def _hexadecimal(fields: Fields, key: str, pattern: re.Pattern[str]) -> frozenset[str]:
    values = frozenset(map(_normal, fields.texts(key)))
    if not all(pattern.fullmatch(value) for value in values):
        fields.problem(key, f"must hold hexadecimal numbers that match {pattern.pattern}")
    return values
