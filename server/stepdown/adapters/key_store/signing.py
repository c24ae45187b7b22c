"""Keys in a token that sign: ECDSA for bundles, Ed25519 for the ledger's checkpoints.

Refuses a key of another kind, naming the kind that is needed.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import Certificate

from stepdown.adapters.key_store.token import TokenKey
from stepdown.domain.errors import TrustError
from stepdown.ledger.signed_note import NoteKey
from stepdown.trust.certificates import parse_certificates
from stepdown.trust.public_keys import signature_algorithm, supported_key
from stepdown.trust.refusal import TrustRule

_ED25519_BYTES = 32
_DER_OCTET_STRING = bytes((0x04, _ED25519_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSigningKey:
    """An EC key that signs bundles. Meets `trust.signing.SigningKey`."""

    key: TokenKey
    public_key: ec.EllipticCurvePublicKey

    def sign(self, message: bytes) -> bytes:
        """ECDSA in DER; the message is hashed here, so that the token need not know the hash. Raises: TrustError."""
        algorithm = signature_algorithm(self.public_key).algorithm
        digest = hashes.Hash(algorithm)  # type: ignore[arg-type] # never Prehashed: the algorithm is our own choice
        digest.update(message)
        return bytes(self.key.call("sign", message=digest.finalize())["signature"])


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNoteSigner:
    """An Ed25519 key that signs checkpoints. Meets `ledger.signed_note.Signer`."""

    token_key: TokenKey
    key: NoteKey

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature. Raises: TrustError."""
        return bytes(self.token_key.call("sign", message=message)["signature"])


def token_signing_key(key: TokenKey) -> TokenSigningKey:
    """The key with its public half, as the token has it. Raises: TrustError."""
    public = key.call("public")
    if public["kind"] != "ec":
        raise TrustError(
            rule=TrustRule.KEY_UNSUPPORTED,
            detail=f"{key.uri} is of kind {public['kind']}; only EC keys on P-256, P-384 and P-521 can sign bundles",
        )
    return TokenSigningKey(key=key, public_key=supported_key(load_der_public_key(public["der"]), what=str(key.uri)))


def token_note_signer(key: TokenKey, *, name: str) -> TokenNoteSigner:
    """The key with its public half, as the token has it. Raises: TrustError."""
    public = key.call("public")
    if public["kind"] != "ed25519":
        raise TrustError(
            rule=TrustRule.KEY_UNSUPPORTED,
            detail=f"{key.uri} is of kind {public['kind']}; only an Ed25519 key signs checkpoints",
        )
    point = public["point"].removeprefix(_DER_OCTET_STRING)  # PKCS#11 3.0 §2.3.3 wraps it; some libraries do not
    return TokenNoteSigner(token_key=key, key=NoteKey(name=name, public_key=point))


def token_certificate(key: TokenKey) -> Certificate:
    """The certificate that lies beside the key, under the same label or id. Raises: TrustError."""
    return parse_certificates((key.call("certificate")["der"],), what=str(key.uri))[0]
