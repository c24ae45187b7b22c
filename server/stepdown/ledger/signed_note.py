"""C2SP signed notes: a text and signature lines that anyone can check with a key of one line.

Format and key ids as in c2sp.org/signed-note; the same that Go's checksum database and transparency logs use. Refuses
to hold a private key: what signs and what verifies is handed in.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from stepdown.domain.records import LedgerError

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
KEY_ID_BYTES = 4
MAXIMUM_NOTE = 65_536
_ED25519_KEY_BYTES = 32
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters, and halves of characters, which no text in UTF-8 holds."""


class Signer(Protocol):
    """Signs notes under a name."""

    @property
    def key(self) -> "NoteKey":
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature alone."""


class SignatureCheck(Protocol):
    """Ed25519 verification, which this room does not do itself."""

    def __call__(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the key's over the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A public key with its name and signature type; written on one line as `name+id+base64`."""

    name: str
    public_key: bytes
    algorithm: int = ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names its key."""
        preimage = self.name.encode() + b"\n" + bytes((self.algorithm,)) + self.public_key
        return sha256(preimage).digest()[:KEY_ID_BYTES]

    def line(self) -> str:
        """The key as verifiers write it into their configuration."""
        encoded = b64encode(bytes((self.algorithm,)) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """`text` ends with a line feed, and is what was signed."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        """The note as a file."""
        lines = (f"— {each.name} {b64encode(each.key_id + each.signature).decode()}\n" for each in self.signatures)
        return f"{self.text}\n{''.join(lines)}"


def parse_key(line: str) -> NoteKey:
    """A key from its one line. Raises: LedgerError."""
    parts = line.strip().split("+", 2)
    if len(parts) != 3 or not is_key_name(parts[0]):  # noqa: PLR2004 - name, id, key
        raise LedgerError("not a verifier key: expected NAME+ID+KEY on one line")
    blob = _unbase64(parts[2], what="verifier key")
    if len(blob) != 1 + _ED25519_KEY_BYTES or blob[0] not in {ED25519, COSIGNATURE_V1}:
        raise LedgerError("not a verifier key: neither Ed25519 nor a witness's")
    key = NoteKey(name=parts[0], public_key=blob[1:], algorithm=blob[0])
    if key.key_id.hex() != parts[1]:
        raise LedgerError("not a verifier key: its id is not that of its name and key")
    return key


def is_key_name(name: str) -> bool:
    """Whether a note may be signed under the name: not empty, without spaces and plus signs."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name) and name.isprintable()


def sign_note(text: str, signer: Signer) -> SignedNote:
    """The text with one signature."""
    if not text.endswith("\n") or _FORBIDDEN.search(text):
        raise LedgerError("a note's text ends with a line feed and holds no other control character")
    key = signer.key
    signature = NoteSignature(name=key.name, key_id=key.key_id, signature=signer.sign(text.encode()))
    return SignedNote(text=text, signatures=(signature,))


def parse_note(note: str) -> SignedNote:
    """A note and its signature lines, believed in nothing. Raises: LedgerError."""
    text, divider, lines = note.rpartition("\n\n")
    if len(note) > MAXIMUM_NOTE or not divider or not lines.endswith("\n") or _FORBIDDEN.search(note):
        raise LedgerError("not a signed note: expected a text, an empty line and signature lines")
    return SignedNote(text=text + "\n", signatures=tuple(_signature(line) for line in lines[:-1].split("\n")))


def signed_by(note: SignedNote, keys: Sequence[NoteKey], check: SignatureCheck) -> tuple[NoteKey, ...]:
    """Those of the keys whose signatures the note holds. Raises: LedgerError for a signature that is wrong.

    A signature of another key is nobody's business (c2sp.org/signed-note).
    """
    found = []
    for signature in note.signatures:
        for key in keys:
            if (key.name, key.key_id) == (signature.name, signature.key_id):
                if not check(key.public_key, signature.signature, note.text.encode()):
                    raise LedgerError(f"the signature of {key.name} is not over this text")
                found.append(key)
    return tuple(found)


def _signature(line: str) -> NoteSignature:
    parts = _SIGNATURE_LINE.fullmatch(line)
    if parts is None:
        raise LedgerError("not a signed note: a signature line is malformed")
    blob = _unbase64(parts["blob"], what="signature line")
    if len(blob) <= KEY_ID_BYTES:
        raise LedgerError("not a signed note: a signature line holds no signature")
    return NoteSignature(name=parts["name"], key_id=blob[:KEY_ID_BYTES], signature=blob[KEY_ID_BYTES:])


def _unbase64(text: str, *, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerError(f"not a {what}: no base64") from error
