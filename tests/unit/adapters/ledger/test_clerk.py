"""Checkpoints signed by a key that is slow, away or in a token: records never wait for it, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.ledger.signing_key import read_checkpoint_key
from stepdown.domain.errors import TrustError
from stepdown.domain.records import LedgerError, LedgerState
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.signed_note import NoteKey
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME, PATIENCE_S, LedgerOnDisk
from tests.fakes.soft_token import SoftToken


class MoodySigner:
    """Signs when it is let, and fails with what it is told to."""

    def __init__(self) -> None:
        self.let = Event()
        self.failure: Exception | None = None
        self.asked = 0

    @property
    def key(self) -> NoteKey:
        return note_signer(NAME).key

    def sign(self, message: bytes) -> bytes:
        self.asked += 1
        assert self.let.wait(PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        return note_signer(NAME).sign(message)


@pytest.fixture
def signer() -> Iterator[MoodySigner]:
    made = MoodySigner()
    yield made
    made.let.set()


def kept(folder: Path, signer: object, **options: object) -> LedgerOnDisk:
    ledger = LedgerOnDisk(folder, signer=signer, signs_aside=True, checkpoint_period_s=0.1, **options)
    ledger.store.start()
    return ledger


def covered(ledger: LedgerOnDisk) -> int:
    """What the newest checkpoint in the second place covers."""
    key = note_signer(NAME).key
    return verify_checkpoint(ledger.exported.read_text(), key, is_signed).size


def test_records_are_acknowledged_while_the_signer_hangs_and_signed_once_it_answers(
    tmp_path: Path, signer: MoodySigner
) -> None:
    ledger = kept(tmp_path, signer)
    assert [ledger.record(number) for number in range(20)] == [f"{NAME}/{number}" for number in range(20)]
    assert (ledger.store.status().checkpoint_size, signer.asked) == (0, 1)
    signer.let.set()
    ledger.store.close()
    assert (covered(ledger), ledger.store.status().checkpoint_size) == (20, 20)
    assert ledger.errors == []


@pytest.mark.parametrize("failure", [TrustError(rule="TOKEN_UNAVAILABLE", detail="away"), RuntimeError("odd")])
def test_a_signer_that_fails_is_said_to_be_late_and_comes_back_by_itself(
    tmp_path: Path, signer: MoodySigner, failure: Exception
) -> None:
    signer.failure = failure
    signer.let.set()
    ledger = kept(tmp_path, signer)
    assert ledger.record(1) == f"{NAME}/0"
    detail = ""
    while not detail:
        detail = ledger.until(LedgerState.WRITING)
    assert detail.startswith("checkpoints are late: ")
    assert ledger.store.status().checkpoint_problem in detail
    assert ledger.record(2) == f"{NAME}/1"
    signer.failure = None
    assert ledger.until(LedgerState.WRITING) == ""
    assert ledger.store.status().checkpoint_problem == ""
    ledger.store.close()
    assert covered(ledger) == 2


def test_a_signer_that_is_away_at_the_end_leaves_the_last_records_to_the_next_start(
    tmp_path: Path, signer: MoodySigner
) -> None:
    signer.failure = OSError("away")
    signer.let.set()
    ledger = kept(tmp_path, signer)
    ledger.record(1)
    ledger.store.close()
    assert ledger.store.status().checkpoint_size == 0
    again = LedgerOnDisk(tmp_path)
    again.store.start()
    again.until(LedgerState.WRITING)
    again.store.close()
    assert covered(again) == 1


def test_a_token_signs_checkpoints_and_a_server_comes_up_while_it_is_away(
    soft_token: SoftToken, tmp_path: Path
) -> None:
    named, ledger = soft_token.uri("ed25519"), tmp_path / "ledger.db"
    away = soft_token.store.rename(tmp_path / "away")
    with pytest.raises(TrustError, match="TOKEN_UNAVAILABLE"):
        read_checkpoint_key(named, name=NAME, ledger=ledger)  # never seen: nobody could check what it signs
    away.rename(soft_token.store)
    first = read_checkpoint_key(named, name=NAME, ledger=ledger)
    assert first.is_remote
    assert is_signed(first.signer.key.public_key, first.signer.sign(b"note"), b"note")
    soft_token.store.rename(away)
    second = read_checkpoint_key(named, name=NAME, ledger=ledger)
    assert second.signer.key == first.signer.key
    with pytest.raises(TrustError, match="TOKEN_UNAVAILABLE"):
        second.signer.sign(b"note")
    with pytest.raises(LedgerError, match="is the key of"):
        read_checkpoint_key(named, name="another/ledger", ledger=ledger)
    away.rename(soft_token.store)
    assert second.signer.sign(b"note")
    for key in (first, second):
        key.signer.token_key.close()  # type: ignore[attr-defined]
