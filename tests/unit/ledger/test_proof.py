import json
from dataclasses import replace

import pytest

from stepdown.adapters.ledger.keys import is_signed
from stepdown.domain.records import LedgerError
from stepdown.ledger.checkpoint import Checkpoint, sign_checkpoint
from stepdown.ledger.merkle import GrowingTree, inclusion_proof
from stepdown.ledger.proof import RecordProof, parse_proof, verify_proof
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_rows import ORIGIN, honest_rows

SIGNER = note_signer(ORIGIN)
ROWS = honest_rows(4)


def proof_of(place: int) -> RecordProof:
    tree = GrowingTree()
    nodes = {(0, row.sequence): row.leaf for row in ROWS}
    for row in ROWS:
        nodes |= {(level, position): digest for level, position, digest in tree.append(row.leaf)}
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=4, root=tree.root()), SIGNER)
    path = inclusion_proof(place, 4, lambda level, position: nodes[level, position])
    return RecordProof(sequence=place, body=ROWS[place].body or b"", path=path, checkpoint=note)


def test_a_proof_is_filed_read_again_and_verified() -> None:
    proof = parse_proof(proof_of(2).document())
    record, checkpoint = verify_proof(proof, SIGNER.key, is_signed)
    assert (record.sequence, record.facts, checkpoint.size) == (2, {"number": 2}, 4)


def test_a_proof_of_something_else_is_refused() -> None:
    proof = proof_of(2)
    for changed in (replace(proof, body=ROWS[1].body or b""), replace(proof, sequence=1)):
        with pytest.raises(LedgerError, match="the record says that it is number"):
            verify_proof(changed, SIGNER.key, is_signed)
    altered = replace(proof, body=proof.body.replace(b'"number":2', b'"number":3'))
    with pytest.raises(LedgerError, match="the path does not lead from record 2"):
        verify_proof(altered, SIGNER.key, is_signed)
    with pytest.raises(LedgerError, match="not signed by"):
        verify_proof(proof, note_signer(ORIGIN, seed=2).key, is_signed)


@pytest.mark.parametrize(
    "changes",
    [{"schema": "stepdown/proof/v2"}, {"sequence": "2"}, {"record": 3}, {"path": ["?"]}, {"path": None}, {"path": [3]}],
)
def test_what_is_no_proof_is_refused(changes: dict[str, object]) -> None:
    document = json.loads(proof_of(2).document()) | changes
    with pytest.raises(LedgerError, match="not a proof"):
        parse_proof(json.dumps(document))


@pytest.mark.parametrize("document", ["", "[]", "3", "{}", "[" * 100_000])
def test_what_is_no_document_is_refused(document: str) -> None:
    with pytest.raises(LedgerError, match="not a proof"):
        parse_proof(document)
