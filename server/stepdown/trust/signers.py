"""Who made a signature: the signer of the policy whose key or certificate fits it.

Refuses to learn a key from the signature itself: a key must be in the policy, a certificate must lead to its roots.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import Certificate

from stepdown.domain.bundles import SignerIdentity
from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import (
    CLOCK_TOLERANCE_S,
    check_chain,
    check_leaf,
    check_period,
    describe_identities,
    parse_certificates,
    reference_to,
)
from stepdown.trust.denylist import check_signer
from stepdown.trust.envelope import Envelope, parse_envelope
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.policy_signers import CertificateSigner
from stepdown.trust.public_keys import is_signed_by, key_hint, key_id
from stepdown.trust.refusal import TrustRule
from stepdown.trust.statement import parse_statement


def verify_signature(
    text: bytes, *, policy: TrustPolicy, now_s: float, what: str
) -> tuple[SignerIdentity, Mapping[str, str]]:
    """The signer of the signature file called `what`, and the files (name -> hex sha256) it signs for.

    Raises: TrustError, among them SIGNER_UNKNOWN, SIGNATURE_INVALID, SIGNING_TIME_INVALID, KEY_DENIED and the
    CERTIFICATE_ rules.
    """
    envelope = parse_envelope(text, what=what)
    if envelope.certificates:
        chain = parse_certificates(envelope.certificates, what=what)
        signer, public_key = _certified_signer(chain, policy, now_s=now_s, what=what)
        _check_signed(envelope, public_key, what=what)
    else:
        chain = ()
        signer = _key_signer(envelope, policy, what=what)
    check_signer(signer, policy.denylist, what=what)
    statement = parse_statement(envelope.payload, what=f"the statement in {what}")
    _check_signing_time(statement.signed_time_s, chain, now_s=now_s, what=what)
    return signer, statement.files


def _check_signing_time(
    signed_time_s: float | None, chain: tuple[Certificate, ...], *, now_s: float, what: str
) -> None:
    """A signer may say when it was; it then must have been in the past, and certified at that time as well."""
    if signed_time_s is None:
        return
    if signed_time_s > now_s + CLOCK_TOLERANCE_S:
        raise TrustError(rule=TrustRule.SIGNING_TIME_INVALID, detail=f"{what}: says that it was signed in the future")
    for certificate in chain:
        check_period(certificate, now_s=signed_time_s, what=f"{what}, when it was signed")


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
    chain: tuple[Certificate, ...], policy: TrustPolicy, *, now_s: float, what: str
) -> tuple[SignerIdentity, EllipticCurvePublicKey]:
    certified = check_leaf(chain[0], now_s=now_s, what=what)
    meant = [
        (signer, path)
        for signer, path in _signers_with_path(chain, policy, now_s=now_s, what=what)
        if signer.identities & certified.identities
    ]
    if len(meant) != 1:
        problem = "has no signer" if not meant else "has several signers"
        raise TrustError(
            rule=TrustRule.CERTIFICATE_IDENTITY,
            detail=f"{what}: the policy {problem} named {describe_identities(certified.identities)}",
        )
    signer, path = meant[0]
    identity = SignerIdentity(
        key_id=key_id(certified.public_key),
        name=signer.name,
        identities=certified.identities,
        path=tuple(map(reference_to, path)),
    )
    return identity, certified.public_key


def _signers_with_path(
    chain: tuple[Certificate, ...], policy: TrustPolicy, *, now_s: float, what: str
) -> tuple[tuple[CertificateSigner, tuple[Certificate, ...]], ...]:
    """The policy's signers whose roots this chain leads to, with the way. Raises: TrustError of the last, if none."""
    refusal = TrustError(
        rule=TrustRule.SIGNER_UNKNOWN, detail=f"{what}: made with a certificate, and the policy has no roots"
    )
    trusted: list[tuple[CertificateSigner, tuple[Certificate, ...]]] = []
    for signer in policy.certificate_signers:
        try:
            trusted.append((signer, check_chain(chain, roots=signer.roots, now_s=now_s, what=what)))
        except TrustError as error:
            refusal = error
    if not trusted:
        raise refusal
    return tuple(trusted)


def _check_signed(envelope: Envelope, public_key: EllipticCurvePublicKey, *, what: str) -> None:
    if not is_signed_by(public_key, signature=envelope.signature, message=envelope.signed_bytes):
        raise _invalid(what)


def _invalid(what: str) -> TrustError:
    return TrustError(
        rule=TrustRule.SIGNATURE_INVALID, detail=f"{what}: the signature does not fit the statement and key"
    )
