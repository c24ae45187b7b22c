"""Public keys that may sign: EC P-256, P-384 and P-521, each with the hash of its size.

A key is known by its id, the hex sha256 of its SubjectPublicKeyInfo; the public tool's hint, the sha256 of its PEM
text, only helps to find it. Refuses RSA, Edwards and any other curve: the signature format has no place for them.
"""

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

_HASH_BY_CURVE: dict[str, type[hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}


def load_public_key(pem: bytes, *, what: str) -> EllipticCurvePublicKey:
    """The key in a PEM file called `what`. Raises: TrustError KEY_UNSUPPORTED."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TrustError(rule=TrustRule.KEY_UNSUPPORTED, detail=f"{what} holds no PEM public key") from error
    return supported_key(key, what=what)


def supported_key(key: object, *, what: str) -> EllipticCurvePublicKey:
    """`key` when it may sign. Raises: TrustError KEY_UNSUPPORTED."""
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in _HASH_BY_CURVE:
        raise TrustError(rule=TrustRule.KEY_UNSUPPORTED, detail=f"{what} is not an EC key on P-256, P-384 or P-521")
    return key


def key_id(key: EllipticCurvePublicKey) -> str:
    """What a policy, an answer and a denylist call this key: hex sha256 of its SubjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def key_hint(key: EllipticCurvePublicKey) -> str:
    """What the public tool writes into a signature to find this key again: hex sha256 of its PEM text."""
    return hashlib.sha256(public_pem(key)).hexdigest()


def public_pem(key: EllipticCurvePublicKey) -> bytes:
    """The key as a PEM file."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signature_algorithm(key: EllipticCurvePublicKey) -> ECDSA:
    """How this key signs. Raises: KeyError for a curve that `supported_key` would not have let through."""
    return ECDSA(_HASH_BY_CURVE[key.curve.name]())


def is_signed_by(key: EllipticCurvePublicKey, *, signature: bytes, message: bytes) -> bool:
    """Whether `signature` over `message` was made with this key's private half."""
    try:
        key.verify(signature, message, signature_algorithm(key))
    except InvalidSignature:
        return False
    return True
