"""A ledger of every format that was ever written is kept, and verifies for as long as this product does."""

from pathlib import Path

import pytest

from stepdown.adapters.ledger.keys import is_signed, read_verifier_key
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.merkle import includes
from stepdown.ledger.verification import verify_copy

ARCHIVE = sorted(Path(__file__).parent.glob("ledger_v*"))
SIZE = 300


@pytest.mark.parametrize("folder", ARCHIVE, ids=lambda folder: folder.name)
def test_a_kept_ledger_verifies_and_proves_its_records(folder: Path) -> None:
    key = read_verifier_key(folder / "ledger.vkey")
    reader = LedgerReader(folder / "ledger.db", is_copy=True)
    kept = verify_checkpoint((folder / "checkpoint").read_text(), key, is_signed)
    own = [verify_checkpoint(note, key, is_signed) for _, note in reader.checkpoints()]
    verdict = verify_copy(reader.rows(), [*own, kept])
    assert (verdict.findings, verdict.size, verdict.covered) == ((), SIZE, SIZE)
    record = reader.record(270)
    assert record is not None
    assert decode(record.body or b"").facts == {"number": 120}
    path = reader.inclusion(270, SIZE)
    assert includes(record.leaf, index=270, size=SIZE, path=path, root=kept.root)


def test_there_is_one_of_each_format() -> None:
    assert [folder.name for folder in ARCHIVE] == ["ledger_v1"]
