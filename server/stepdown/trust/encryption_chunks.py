"""The sealed form of one file of an encrypted bundle: chunks under AES-256-GCM that cannot be cut, moved or exchanged.

A file begins with a magic number; its chunks follow, each with its tag (NIST SP 800-38D). The key is derived for this
one file (HKDF-SHA-256, RFC 5869) from the bundle's data key, its salt, and everything the file is bound to: the
bundle's name and version, the file's path, its length and the length of a chunk. The nonce counts chunks and marks the
last one, as in STREAM (Hoang et al., CRYPTO 2015); the same is authenticated beside each chunk. Refuses to give out a
byte of a file of which any chunk is not as it was sealed.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

MAGIC = b"stepdown sealed1"
KEY_BYTES = 32
TAG_BYTES = 16
CHUNK_BYTES = 1 << 20
_CONTEXT = b"stepdown/encryption/v1"
_NONCE = struct.Struct(">3xQB")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBinding:
    """What one sealed file is bound to. `plain_bytes` and `chunk_bytes` are lengths before sealing."""

    bundle: str
    version: str
    path: str
    plain_bytes: int
    chunk_bytes: int = CHUNK_BYTES

    @property
    def chunks(self) -> int:
        """How many there are: an empty file has one, so that its end is marked too."""
        return max(1, -(-self.plain_bytes // self.chunk_bytes))

    @property
    def sealed_bytes(self) -> int:
        """The length of the sealed form."""
        return len(MAGIC) + self.plain_bytes + self.chunks * TAG_BYTES

    def encode(self) -> bytes:
        """The binding as bytes, each part with its length, so that none can flow into another."""
        texts = b"".join(
            struct.pack(">I", len(text)) + text
            for text in (each.encode() for each in (self.bundle, self.version, self.path))
        )
        return _CONTEXT + texts + struct.pack(">QQ", self.plain_bytes, self.chunk_bytes)


def seal_file(plain: bytes, binding: FileBinding, *, data_key: bytes, salt: bytes) -> bytes:
    """The sealed form. A data key and salt are used for one bundle and never again."""
    cipher = _cipher(binding, data_key, salt)
    sealed = [MAGIC]
    for index, start in _chunks(binding):
        nonce, beside = _place(binding, index)
        sealed.append(cipher.encrypt(nonce, plain[start : start + binding.chunk_bytes], beside))
    return b"".join(sealed)


def open_file(
    sealed: bytes, binding: FileBinding, *, data_key: bytes, salt: bytes, sha256: str, into: memoryview
) -> None:
    """Write what was sealed into a buffer of exactly `plain_bytes`; `sha256` is the digest it must have.

    Raises: TrustError CIPHERTEXT_INVALID naming the file and the chunk; the buffer then holds nothing to be used.
    """
    check_length(sealed, binding)
    cipher, whole = _cipher(binding, data_key, salt), memoryview(sealed)
    position = len(MAGIC)
    for index, start in _chunks(binding):
        place = into[start : start + binding.chunk_bytes]
        nonce, beside = _place(binding, index)
        end = position + len(place) + TAG_BYTES
        try:
            cipher.decrypt_into(nonce, whole[position:end], beside, place)
        except InvalidTag as error:
            raise _invalid(binding, f"chunk {index} of {binding.chunks} is not what was sealed there") from error
        position = end
    # GCM commits to no key: a digest that was signed says which of two possible contents is meant.
    if not hmac.compare_digest(hashlib.sha256(into).hexdigest(), sha256):
        raise _invalid(binding, "is not what encryption.json says was sealed")


def check_length(sealed: bytes, binding: FileBinding) -> None:
    """Whether a file can be the sealed form of what the binding names. Raises: TrustError CIPHERTEXT_INVALID."""
    if not sealed.startswith(MAGIC):
        raise _invalid(binding, "is not in the sealed form that is read")
    if len(sealed) != binding.sealed_bytes:
        raise _invalid(binding, f"has {len(sealed)} bytes, and its sealed form {binding.sealed_bytes}")


def _chunks(binding: FileBinding) -> Iterator[tuple[int, int]]:
    return ((index, index * binding.chunk_bytes) for index in range(binding.chunks))


def _place(binding: FileBinding, index: int) -> tuple[bytes, bytes]:
    """The nonce of a chunk, and what is authenticated beside it."""
    nonce = _NONCE.pack(index, index == binding.chunks - 1)
    return nonce, binding.encode() + nonce


def _cipher(binding: FileBinding, data_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=binding.encode()).derive(data_key))


def _invalid(binding: FileBinding, problem: str) -> TrustError:
    return TrustError(rule=TrustRule.CIPHERTEXT_INVALID, detail=f"{binding.path} {problem}")
