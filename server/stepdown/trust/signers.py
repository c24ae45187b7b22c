"""Who made a signature: the signer of the policy whose key or certificate fits it.

Refuses to learn a key from the signature itself: a key must be in the policy, a certificate must lead to its roots.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import Certificate

from stepdown.domain.bundles import SignerIdentity
from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import (
    certified_key_id,
    check_chain,
    check_leaf,
    describe_identities,
    parse_certificates,
    serial_number,
)
from stepdown.trust.envelope import Envelope, parse_envelope
from stepdown.trust.policy import Denylist, TrustPolicy
from stepdown.trust.policy_signers import CertificateSigner
from stepdown.trust.public_keys import is_signed_by, key_hint, key_id
from stepdown.trust.refusal import TrustRule
from stepdown.trust.statement import parse_statement


def verify_signature(
    text: bytes, *, policy: TrustPolicy, now_s: float, what: str
) -> tuple[SignerIdentity, Mapping[str, str]]:
    """The signer of the signature file called `what`, and the files (name -> hex sha256) it signs for.

    Raises: TrustError, among them SIGNER_UNKNOWN, SIGNATURE_INVALID, KEY_DENIED and the CERTIFICATE_ rules.
    """
    envelope = parse_envelope(text, what=what)
    if envelope.certificates:
        signer, public_key = _certified_signer(envelope, policy, now_s=now_s, what=what)
        _check_signed(envelope, public_key, what=what)
    else:
        signer = _key_signer(envelope, policy, what=what)
    if signer.key_id in policy.denylist.key_ids:
        raise TrustError(rule=TrustRule.KEY_DENIED, detail=f"{what}: key {signer.key_id} is on the denylist")
    return signer, parse_statement(envelope.payload, what=f"the statement in {what}")


def _key_signer(envelope: Envelope, policy: TrustPolicy, *, what: str) -> SignerIdentity:
    candidates = [
        signer
        for signer in policy.key_signers
        if not envelope.key_hint or key_hint(signer.public_key) == envelope.key_hint
    ]
    if not candidates:
        raise TrustError(rule=TrustRule.SIGNER_UNKNOWN, detail=f"{what}: made with a key that is not in the policy")
    for signer in candidates:
        if is_signed_by(signer.public_key, signature=envelope.signature, message=envelope.signed_bytes):
            return SignerIdentity(key_id=signer.key_id, name=signer.name)
    if not envelope.key_hint:
        raise TrustError(rule=TrustRule.SIGNER_UNKNOWN, detail=f"{what}: made with none of the keys in the policy")
    raise _invalid(what)


def _certified_signer(
    envelope: Envelope, policy: TrustPolicy, *, now_s: float, what: str
) -> tuple[SignerIdentity, EllipticCurvePublicKey]:
    chain = parse_certificates(envelope.certificates, what=what)
    certified = check_leaf(chain[0], now_s=now_s, what=what)
    trusted = _signers_with_path(chain, policy, now_s=now_s, what=what)
    for signer in trusted:
        if signer.identities & certified.identities:
            return SignerIdentity(key_id=key_id(certified.public_key), name=signer.name), certified.public_key
    raise TrustError(
        rule=TrustRule.CERTIFICATE_IDENTITY,
        detail=f"{what}: the policy has no signer named {describe_identities(certified.identities)}",
    )


def _signers_with_path(
    chain: tuple[Certificate, ...], policy: TrustPolicy, *, now_s: float, what: str
) -> tuple[CertificateSigner, ...]:
    """The policy's signers whose roots this chain leads to. Raises: TrustError of the last one tried, if none."""
    refusal = TrustError(
        rule=TrustRule.SIGNER_UNKNOWN, detail=f"{what}: made with a certificate, and the policy has no roots"
    )
    trusted: list[CertificateSigner] = []
    for signer in policy.certificate_signers:
        try:
            path = check_chain(chain, roots=signer.roots, now_s=now_s, what=what)
        except TrustError as error:
            refusal = error
            continue
        _check_denied(path, policy.denylist, what=what)
        trusted.append(signer)
    if not trusted:
        raise refusal
    return tuple(trusted)


def _check_denied(path: tuple[Certificate, ...], denylist: Denylist, *, what: str) -> None:
    for certificate in path:
        if serial_number(certificate) in denylist.certificate_serials:
            raise TrustError(
                rule=TrustRule.CERTIFICATE_DENIED,
                detail=f"{what}: the certificate with serial {serial_number(certificate)} is on the denylist",
            )
        if certified_key_id(certificate) in denylist.key_ids:
            raise TrustError(
                rule=TrustRule.KEY_DENIED, detail=f"{what}: key {certified_key_id(certificate)} is on the denylist"
            )


def _check_signed(envelope: Envelope, public_key: EllipticCurvePublicKey, *, what: str) -> None:
    if not is_signed_by(public_key, signature=envelope.signature, message=envelope.signed_bytes):
        raise _invalid(what)


def _invalid(what: str) -> TrustError:
    return TrustError(
        rule=TrustRule.SIGNATURE_INVALID, detail=f"{what}: the signature does not fit the statement and key"
    )
