"""C2SP checkpoints: what a ledger was at one size, as a signed note of three lines (c2sp.org/tlog-checkpoint).

A witness's cosignature says when it saw that size, after it had checked that nothing before was changed
(c2sp.org/tlog-cosignature). Refuses a checkpoint of another ledger, and one that its key has not signed.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from stepdown.domain.records import LedgerError
from stepdown.ledger.merkle import HASH_BYTES
from stepdown.ledger.signed_note import (
    COSIGNATURE_V1,
    NoteKey,
    SignatureCheck,
    SignedNote,
    Signer,
    parse_note,
    sign_note,
    signed_by,
)

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ROOT = re.compile(r"[A-Za-z0-9+/]{43}=")
_LINES = 3
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The first `size` records of the ledger `origin` have the root `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness saw the checkpoint at `time_s`, Unix time."""

    witness: str
    time_s: int


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note as text."""
    return sign_note(checkpoint.text(), signer).encode()


def parse_checkpoint(note: SignedNote) -> Checkpoint:
    """What the note says. Raises: LedgerError. Lines after the third are extensions, and are signed like the rest."""
    lines = note.text.split("\n")
    if len(lines) <= _LINES or not lines[0] or not _SIZE.fullmatch(lines[1]) or not _ROOT.fullmatch(lines[2]):
        raise LedgerError("not a checkpoint: expected an origin, a size and a root in base64")
    root = b64decode(lines[2])
    if len(root) != HASH_BYTES or not all(lines[_LINES:-1]):
        raise LedgerError("not a checkpoint: its root is no SHA-256 digest, or a line is empty")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def verify_checkpoint(note: str, key: NoteKey, check: SignatureCheck) -> Checkpoint:
    """The checkpoint, if the ledger's own key has signed it. Raises: LedgerError."""
    signed = parse_note(note)
    checkpoint = parse_checkpoint(signed)
    if not signed_by(signed, (key,), check):
        raise LedgerError(f"the checkpoint is not signed by {key.name} (key {key.key_id.hex()})")
    if checkpoint.origin != key.name:
        raise LedgerError(f"the checkpoint is of {checkpoint.origin}, and the key is of {key.name}")
    return checkpoint


def verify_cosignature(note: str, witness: NoteKey, check: SignatureCheck) -> Cosignature:
    """When the witness saw this very checkpoint. Raises: LedgerError if it has not signed it."""
    if witness.algorithm != COSIGNATURE_V1:
        raise LedgerError(f"{witness.name} is not the key of a witness")
    signed = parse_note(note)
    for signature in signed.signatures:
        if (signature.name, signature.key_id) == (witness.name, witness.key_id):
            stamp, own = signature.signature[:_TIME_BYTES], signature.signature[_TIME_BYTES:]
            time_s = int.from_bytes(stamp)
            message = f"cosignature/v1\ntime {time_s}\n{signed.text}".encode()
            if len(stamp) == _TIME_BYTES and check(witness.public_key, own, message):
                return Cosignature(witness=witness.name, time_s=time_s)
            raise LedgerError(f"the cosignature of {witness.name} is not over this checkpoint")
    raise LedgerError(f"the checkpoint is not cosigned by {witness.name} (key {witness.key_id.hex()})")
