"""Signing a bundle, so that this server and the public `model_signing` tool both accept it.

A key only has to sign bytes and show its public half, so one in a file and one in a hardware module are the same here.
Refuses to sign with a certificate that does not belong to the key, and to sign what no server would load: the caller
examines the contents first.
"""

import hashlib
from collections.abc import Mapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import Certificate

from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import check_leaf, encode_certificate
from stepdown.trust.envelope import Envelope, pre_authentication_encoding, render_envelope
from stepdown.trust.names import check_names, is_signature
from stepdown.trust.public_keys import is_signed_by, key_hint, supported_key
from stepdown.trust.refusal import TrustRule
from stepdown.trust.statement import render_statement


class SigningKey(Protocol):
    """The private half of an EC key on P-256, P-384 or P-521, wherever it lives."""

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """An ECDSA signature in DER over the message, hashed as `public_keys.signature_algorithm` says."""


def sign_files(
    files: Mapping[str, bytes],
    key: SigningKey,
    *,
    subject: str = "bundle",
    certificates: tuple[Certificate, ...] = (),
    signed_time_s: float | None = None,
) -> bytes:
    """The signature file over every file outside `signatures/`.

    `subject` is a name for people and binds nothing. With `certificates` (leaf first, then whatever leads towards a
    root) the signature is bound to the name the leaf certifies. `signed_time_s` (Unix) is signed for as well; the
    certificates must have been valid then too.

    Raises: TrustError FILE_NAME_UNSAFE, FILE_NAME_COLLISION, KEY_UNSUPPORTED, SIGNATURE_INVALID when the key's two
    halves do not match.
    """
    check_names(files)
    public_key = supported_key(key.public_key, what="the signing key")
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if not is_signature(name)}
    payload = render_statement(subject, digests, signed_time_s=signed_time_s)
    message = pre_authentication_encoding(payload)
    signature = key.sign(message)
    if not is_signed_by(public_key, signature=signature, message=message):
        raise TrustError(rule=TrustRule.SIGNATURE_INVALID, detail="the signing key's public half does not match it")
    return render_envelope(
        Envelope(
            payload=payload,
            signature=signature,
            key_hint=key_hint(public_key),
            certificates=tuple(encode_certificate(certificate) for certificate in certificates),
        )
    )


def check_signing_certificate(certificate: Certificate, key: SigningKey, *, now_s: float, what: str) -> frozenset[str]:
    """Whether bundles may be signed with this certificate and key now; returns the names it certifies.

    Raises: TrustError of the CERTIFICATE_ rules, or KEY_UNSUPPORTED when the certificate is for another key.
    """
    certified = check_leaf(certificate, now_s=now_s, what=what)
    if certified.public_key != key.public_key:
        raise TrustError(rule=TrustRule.KEY_UNSUPPORTED, detail=f"{what} certifies another key than the one given")
    return certified.identities
