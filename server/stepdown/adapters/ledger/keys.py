"""The ledger's keys in files: one Ed25519 key that signs checkpoints, and one secret that digests are keyed with.

Refuses to hand out a private key's bytes, and to overwrite a key.
"""

import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from stepdown.adapters.keys import write_new
from stepdown.domain.records import LedgerError
from stepdown.ledger.signed_note import NoteKey, parse_key

DIGEST_KEY_BYTES = 32
_MAXIMUM_FILE_BYTES = 65_536
_NONCE_BYTES = 12
_SEALING = b"stepdown/sealed-facts/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNoteSigner:
    """Signs notes under `name` with a key from a file. Meets `ledger.signed_note.Signer`."""

    name: str
    private_key: Ed25519PrivateKey = field(repr=False)

    @property
    def key(self) -> NoteKey:
        """The public half, for verifiers."""
        raw = self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return NoteKey(name=self.name, public_key=raw)

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""
        return self.private_key.sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestKey:
    """Keys the digests of requests and answers, so that a value cannot be found by trying all there are.

    What a record must hold and nobody may read is sealed under a key that is derived from the same secret.
    """

    secret: bytes = field(repr=False)
    _sealing: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the sealing key once."""
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_SEALING).derive(self.secret)
        object.__setattr__(self, "_sealing", AESGCM(derived))

    def digest(self, content: bytes) -> str:
        """HMAC-SHA-256 as 64 hexadecimal digits."""
        return hmac.digest(self.secret, content, "sha256").hex()

    def seal(self, content: bytes, bound_to: str) -> str:
        """AES-256-GCM with a random nonce before it, in hexadecimal; opens only beside the same second text."""
        nonce = os.urandom(_NONCE_BYTES)
        return (nonce + self._sealing.encrypt(nonce, content, bound_to.encode())).hex()

    def unseal(self, sealed: str, bound_to: str) -> bytes:
        """The content. Raises: LedgerError where it was not sealed with this key beside this text."""
        try:
            raw = bytes.fromhex(sealed)
            return self._sealing.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise LedgerError("this was not sealed with this key, or not for this record") from error


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature is right. Meets `ledger.signed_note.SignatureCheck`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_note_signer(path: Path, *, name: str) -> FileNoteSigner:
    """The signing key in a PEM file (PKCS #8, not encrypted). Raises: LedgerError, OSError."""
    try:
        key = load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LedgerError(f"{path} holds no PEM private key that opens without a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(f"{path} is not an Ed25519 key; only such a key signs checkpoints")
    return FileNoteSigner(name=name, private_key=key)


def read_digest_key(path: Path) -> DigestKey:
    """The secret in a file: 64 hexadecimal digits. Raises: LedgerError, OSError."""
    try:
        secret = bytes.fromhex(_content(path).decode().strip())
    except ValueError as error:
        raise LedgerError(f"{path} does not hold {2 * DIGEST_KEY_BYTES} hexadecimal digits") from error
    if len(secret) != DIGEST_KEY_BYTES:
        raise LedgerError(f"{path} does not hold {2 * DIGEST_KEY_BYTES} hexadecimal digits")
    return DigestKey(secret=secret)


def read_verifier_key(path: Path) -> NoteKey:
    """A public key from its file of one line. Raises: LedgerError, OSError."""
    try:
        return parse_key(_content(path).decode())
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is not a verifier key") from error


def verifier_key_path(signing_key: Path) -> Path:
    """Where the public half of a signing key is written: `ledger.key.pem` gives `ledger.vkey`."""
    return signing_key.with_name(signing_key.name.removesuffix(".pem").removesuffix(".key") + ".vkey")


def ensure_ledger_keys(*, signing_key: Path, digest_key: Path, name: str) -> None:
    """Make the two keys for their owner alone, and the public half, where they are not there yet. Raises: OSError."""
    signing_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _ensure(signing_key, _new_signing_key, mode=0o600)
    _ensure(digest_key, lambda: secrets.token_hex(DIGEST_KEY_BYTES).encode() + b"\n", mode=0o600)
    public = read_note_signer(signing_key, name=name).key
    _ensure(verifier_key_path(signing_key), lambda: public.line().encode() + b"\n", mode=0o644)


def _ensure(path: Path, make: Callable[[], bytes], *, mode: int) -> None:
    if not path.exists():
        write_new(path, make(), mode=mode)


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAXIMUM_FILE_BYTES)
