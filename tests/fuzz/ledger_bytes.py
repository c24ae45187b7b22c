"""What an auditor is handed: records, notes, proofs, keys, and whole files of a ledger, with bytes changed.

Every reader takes any bytes and says no more than `LedgerError`. A copy that was changed in what a checkpoint covers is
never called intact.
"""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.domain.records import LedgerError, StoredRecord
from stepdown.ledger.checkpoint import Checkpoint, verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.proof import RecordProof, parse_proof, verify_proof
from stepdown.ledger.signed_note import NoteKey, parse_key
from stepdown.ledger.verification import verify_copy

ARCHIVE = Path(__file__).parents[1] / "known_answer" / "ledger_v1"


class LedgerBytes:
    """One ledger that is known to be whole, and everything of it that can be changed."""

    def __init__(self, random: Random, folder: Path) -> None:
        """`folder` is where changed copies of the file are put."""
        self._random = random
        self._file = folder / "ledger.db"
        self._key: NoteKey = parse_key((ARCHIVE / "ledger.vkey").read_text())
        self._reader = LedgerReader(ARCHIVE / "ledger.db", is_copy=True)
        self._rows = list(self._reader.rows())
        self._bodies = [row.body for row in self._rows if row.body is not None]
        self._kept = (ARCHIVE / "checkpoint").read_text()
        self._checkpoint: Checkpoint = verify_checkpoint(self._kept, self._key, is_signed)
        self._proof = self._proven(270)

    def execute(self) -> str:
        """Change one thing and read it; the name of what was read. Raises: AssertionError for a reader that erred."""
        target = self._random.choices(
            (self._record, self._note, self._proof_file, self._key_line, self._copy, self._database),
            weights=(30, 25, 25, 14, 3, 3),
        )[0]
        with suppress(LedgerError):
            target()
        return target.__name__.strip("_")

    def _record(self) -> None:
        decode(self._torn(self._random.choice(self._bodies)))

    def _note(self) -> None:
        changed = self._torn(self._kept.encode()).decode(errors="surrogateescape")
        said = verify_checkpoint(changed, self._key, is_signed)
        assert said == self._checkpoint, "a checkpoint that nobody signed"

    def _proof_file(self) -> None:
        changed = parse_proof(self._torn(self._proof.document().encode()).decode(errors="replace"))
        verify_proof(changed, self._key, is_signed)
        assert changed.body == self._proof.body, "a proof of what is not there"

    def _key_line(self) -> None:
        changed = parse_key(self._torn(self._key.line().encode()).decode(errors="replace"))
        assert changed == self._key, "a key whose id is not its own"

    def _copy(self) -> None:
        """Rows that are gone, moved, doubled or torn."""
        rows = list(self._rows)
        for _ in range(self._random.choice((1, 1, 2, 5))):
            self._disturb(rows)
        verdict = verify_copy(rows, [self._checkpoint])
        assert verdict.is_intact is (rows == self._rows), "a changed copy is called intact, or a whole one changed"

    def _disturb(self, rows: list[StoredRecord]) -> None:
        place, other = self._random.randrange(len(rows)), self._random.randrange(len(rows))
        kind = self._random.randrange(5)
        row = rows[place]
        if kind == 0:
            del rows[place]
        elif kind == 1:
            rows.insert(other, row)
        elif kind == 2:
            rows[place], rows[other] = rows[other], rows[place]
        elif kind == 3:
            rows[place] = replace(row, body=self._torn(row.body or b""))
        else:
            rows[place] = replace(row, leaf=self._random.randbytes(32))

    def _database(self) -> None:
        """The file itself, some bytes of it changed or its end cut off."""
        shutil.copyfile(ARCHIVE / "ledger.db", self._file)
        with self._file.open("r+b") as file:
            size = file.seek(0, 2)
            for _ in range(self._random.choice((1, 3, 20))):
                file.seek(self._random.randrange(size))
                file.write(self._random.randbytes(self._random.choice((1, 2, 16))))
            if self._random.random() < 0.2:
                file.truncate(self._random.randrange(size))
        reader = LedgerReader(self._file, is_copy=True)
        verdict = verify_copy(reader.rows(), [self._checkpoint])
        if verdict.is_intact:
            rows, whole = ([_covered(row) for row in each] for each in (reader.rows(), self._rows))
            assert rows == whole, "a changed file is intact"

    def _proven(self, sequence: int) -> RecordProof:
        path = self._reader.inclusion(sequence, self._checkpoint.size)
        body = self._rows[sequence].body or b""
        return RecordProof(sequence=sequence, body=body, path=path, checkpoint=self._kept)

    def _torn(self, content: bytes) -> bytes:
        torn = bytearray(content)
        for _ in range(self._random.choice((1, 1, 2, 4))):
            place = self._random.randrange(len(torn) + 1)
            kind = self._random.randrange(4)
            if kind == 0:
                del torn[place : place + self._random.choice((1, 4, 1000))]
            elif kind == 1:
                torn[place:place] = self._random.randbytes(self._random.choice((1, 3)))
            elif kind == 2 and place < len(torn):
                torn[place] ^= 1 << self._random.randrange(8)
            else:
                torn[place:place] = self._random.choice((b'"', b"{", b"0", b"1e9", b"\n\n", b"+", b"[" * 100))
        return bytes(torn)


def _covered(row: StoredRecord) -> StoredRecord:
    """What a signature covers: of a record whose body was let go, its digest and its place alone."""
    return replace(row, kind=None, time_us=None) if row.body is None else row
