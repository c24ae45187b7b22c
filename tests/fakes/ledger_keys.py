"""Ledger keys that are always the same, and a witness."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stepdown.adapters.ledger.keys import FileNoteSigner
from stepdown.ledger.signed_note import COSIGNATURE_V1, NoteKey, NoteSignature, SignedNote, parse_note


def note_signer(name: str, *, seed: int = 1) -> FileNoteSigner:
    """A signer whose key is made of the seed."""
    return FileNoteSigner(name=name, private_key=Ed25519PrivateKey.from_private_bytes(bytes((seed,)) * 32))


class Witness:
    """Cosigns checkpoints as c2sp.org/tlog-cosignature says, and believes everybody."""

    def __init__(self, name: str, *, seed: int = 9) -> None:
        self._signer = note_signer(name, seed=seed)
        self.key = NoteKey(name=name, public_key=self._signer.key.public_key, algorithm=COSIGNATURE_V1)

    def cosign(self, note: str, *, time_s: int) -> str:
        """The note with one more signature line."""
        signed = parse_note(note)
        signature = self._signer.sign(f"cosignature/v1\ntime {time_s}\n{signed.text}".encode())
        own = NoteSignature(name=self.key.name, key_id=self.key.key_id, signature=time_s.to_bytes(8) + signature)
        return SignedNote(text=signed.text, signatures=(*signed.signatures, own)).encode()
