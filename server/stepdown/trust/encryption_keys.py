"""Wrapping a data key under a key in memory: a shared secret of 256 bits, or the two halves of an RSA key.

Keys in a hardware module wrap there, in the same forms. Refuses RSA keys below 2048 bits (NIST SP 800-131A) and other
secrets than those of 32 bytes.
"""

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key, load_pem_public_key

from stepdown.domain.errors import TrustError
from stepdown.trust.encryption_chunks import KEY_BYTES
from stepdown.trust.encryption_wrapping import GCM_NONCE_BYTES, Wrapping
from stepdown.trust.refusal import TrustRule

_LEAST_RSA_BITS = 2048
_OAEP_HASHES = {Wrapping.RSA_OAEP_SHA256: SHA256, Wrapping.RSA_OAEP_SHA1: SHA1}


def read_secret(text: bytes, *, what: str) -> bytes:
    """A wrapping secret from its file: 64 hexadecimal digits. Raises: TrustError KEY_UNSUPPORTED."""
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise _unsupported(f"{what} holds neither {2 * KEY_BYTES} hexadecimal digits nor an RSA key in PEM")
    return secret


def read_rsa_public_key(encoded: bytes, *, what: str) -> RSAPublicKey:
    """A public key in PEM or DER. Raises: TrustError KEY_UNSUPPORTED."""
    try:
        read = load_pem_public_key if encoded.startswith(b"-----") else load_der_public_key
        key = read(encoded)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unsupported(f"{what} holds no public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_RSA_BITS:
        raise _unsupported(f"{what} is not an RSA key of {_LEAST_RSA_BITS} bits or more")
    return key


def read_rsa_private_key(pem: bytes, *, what: str) -> RSAPrivateKey:
    """A private key in PEM, not encrypted. Raises: TrustError KEY_UNSUPPORTED."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unsupported(f"{what} holds no private key that opens without a passphrase") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_RSA_BITS:
        raise _unsupported(f"{what} is not an RSA key of {_LEAST_RSA_BITS} bits or more")
    return key


def wrap_by_secret(data_key: bytes, *, secret: bytes, nonce: bytes, bound_to: bytes) -> bytes:
    """Nonce and sealed data key. A nonce is never used twice with one secret."""
    return nonce + AESGCM(secret).encrypt(nonce, data_key, bound_to)


def unwrap_by_secret(wrapped: bytes, *, secret: bytes, bound_to: bytes) -> bytes:
    """The data key. Raises: TrustError DATA_KEY_REFUSED when it was wrapped by another secret or for another bundle."""
    try:
        opened = AESGCM(secret).decrypt(wrapped[:GCM_NONCE_BYTES], wrapped[GCM_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise _refused() from error
    return checked_data_key(opened)


def wrap_by_rsa(data_key: bytes, *, key: RSAPublicKey, wrapping: Wrapping) -> bytes:
    """The data key for whoever holds the private half."""
    return key.encrypt(data_key, _padding(wrapping))


def unwrap_by_rsa(wrapped: bytes, *, key: RSAPrivateKey, wrapping: Wrapping) -> bytes:
    """The data key. Raises: TrustError DATA_KEY_REFUSED when it was wrapped for another key."""
    try:
        opened = key.decrypt(wrapped, _padding(wrapping))
    except ValueError as error:
        raise _refused() from error
    return checked_data_key(opened)


def checked_data_key(opened: bytes) -> bytes:
    """A data key as it came out of a wrapping. Raises: TrustError DATA_KEY_REFUSED when it is none."""
    if len(opened) != KEY_BYTES:
        raise _refused()
    return opened


def _padding(wrapping: Wrapping) -> OAEP:
    algorithm = _OAEP_HASHES[wrapping]()
    return OAEP(mgf=MGF1(algorithm), algorithm=algorithm, label=None)


def _unsupported(detail: str) -> TrustError:
    return TrustError(rule=TrustRule.KEY_UNSUPPORTED, detail=detail)


def _refused() -> TrustError:
    return TrustError(
        rule=TrustRule.DATA_KEY_REFUSED, detail="the data key was wrapped by another key, or for another bundle"
    )
