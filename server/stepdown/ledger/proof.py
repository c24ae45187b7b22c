"""The proof of one record as a document that is filed, sent and checked without a server. Version 1.

Refuses to prove more than it does: that the record, byte for byte, is under a checkpoint that the ledger's key signed.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from stepdown.domain.records import LedgerError, Record
from stepdown.ledger.checkpoint import Checkpoint, verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.merkle import includes, leaf_hash
from stepdown.ledger.signed_note import NoteKey, SignatureCheck

SCHEMA = "stepdown/proof/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProof:
    """A record's bytes at a place, the path from there, and the signed note at its end."""

    sequence: int
    body: bytes
    path: Sequence[bytes]
    checkpoint: str

    def document(self) -> str:
        """JSON for people and programs; the body as text, exactly as it was digested."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "sequence": self.sequence,
                "record": self.body.decode(),
                "path": [b64encode(step).decode() for step in self.path],
                "checkpoint": self.checkpoint,
            },
            indent=2,
            ensure_ascii=False,
        )


def parse_proof(document: str) -> RecordProof:
    """A proof as it was filed, believed in nothing. Raises: LedgerError."""
    try:
        said = json.loads(document)
        if said["schema"] != SCHEMA or type(said["sequence"]) is not int:
            raise LedgerError(f"not a proof of {SCHEMA}")
        return RecordProof(
            sequence=said["sequence"],
            body=said["record"].encode(),
            path=tuple(b64decode(step, validate=True) for step in said["path"]),
            checkpoint=str(said["checkpoint"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise LedgerError(f"not a proof of {SCHEMA}") from error


def verify_proof(proof: RecordProof, key: NoteKey, check: SignatureCheck) -> tuple[Record, Checkpoint]:
    """The record and the checkpoint that covers it. Raises: LedgerError when anything does not fit."""
    checkpoint = verify_checkpoint(proof.checkpoint, key, check)
    record = decode(proof.body)
    if record.sequence != proof.sequence:
        raise LedgerError(f"the record says that it is number {record.sequence}, and the proof {proof.sequence}")
    leaf = leaf_hash(proof.body)
    if not includes(leaf, index=proof.sequence, size=checkpoint.size, path=proof.path, root=checkpoint.root):
        raise LedgerError(f"the path does not lead from record {proof.sequence} to the root of the checkpoint")
    return record, checkpoint
