"""A TPM's quote: whether the key that the policy pins has signed, just now, that the PCRs are what they must be.

Structures: TCG, Trusted Platform Module Library, Part 2, TPMS_ATTEST (§10.12.12) and TPML_PCR_SELECTION (§10.9.7).
Refuses a quote with more or fewer PCRs than asked for, with another nonce, or with a byte left over.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from stepdown.domain.errors import TrustError
from stepdown.trust.evidence import AttestationKey
from stepdown.trust.refusal import TrustRule

NONCE_BYTES = 32
MAXIMUM_BYTES = 4096
_GENERATED = 0xFF544347  # TPM_GENERATED_VALUE: no other signature of this key begins so
_QUOTE = 0x8018  # TPM_ST_ATTEST_QUOTE
_SHA256 = 0x000B  # TPM_ALG_SHA256
_CLOCK_AND_FIRMWARE_BYTES = 8 + 4 + 4 + 1 + 8


class _Reader:
    """A structure that is read from its beginning, big-endian; `rest` is what is left of it."""

    def __init__(self, structure: bytes) -> None:
        self.rest = structure

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise _refusal("is cut short")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, code: str) -> int:
        (value,) = struct.unpack(">" + code, self.take(struct.calcsize(code)))
        return int(value)

    def sized(self) -> bytes:
        return self.take(self.number("H"))


def verify_quote(
    quoted: bytes, signature: bytes, *, key: AttestationKey, pcrs: Mapping[int, bytes], nonce: bytes
) -> None:
    """Accept a quote (TPMS_ATTEST) of exactly these PCRs of the SHA-256 bank, made for this nonce.

    `signature` is plain: RSASSA-PKCS1-v1_5 or ECDSA in DER, over SHA-256. Raises: TrustError EVIDENCE_REFUSED.
    """
    if len(quoted) > MAXIMUM_BYTES or not _is_signed(key, signature, quoted):
        raise _refusal("is not signed by the attestation key that the policy pins")
    reader = _Reader(quoted)
    if (reader.number("I"), reader.number("H")) != (_GENERATED, _QUOTE):
        raise _refusal("is not a quote that a TPM made")
    reader.sized()  # the signer's qualified name: the key itself is pinned
    if not hmac.compare_digest(reader.sized(), nonce):
        raise _refusal("answers another nonce than the one just given: it may be an old one")
    reader.take(_CLOCK_AND_FIRMWARE_BYTES)
    if _selection(reader) != frozenset(pcrs):
        raise _refusal("is not over the PCRs that the policy names")
    expected = hashlib.sha256(b"".join(pcrs[number] for number in sorted(pcrs))).digest()
    if not hmac.compare_digest(reader.sized(), expected):
        raise _refusal(f"says that PCRs {', '.join(map(str, sorted(pcrs)))} are not all as the policy has them")
    if reader.rest:
        raise _refusal("has bytes left over")


def _selection(reader: _Reader) -> frozenset[int]:
    if (reader.number("I"), reader.number("H")) != (1, _SHA256):
        raise _refusal("is not over the SHA-256 bank alone")
    bitmap = reader.take(reader.number("B"))
    return frozenset(8 * place + bit for place, byte in enumerate(bitmap) for bit in range(8) if byte >> bit & 1)


def _is_signed(key: AttestationKey, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, message, PKCS1v15(), SHA256())
        else:
            key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _refusal(problem: str) -> TrustError:
    return TrustError(rule=TrustRule.EVIDENCE_REFUSED, detail=f"the TPM's quote {problem}")
