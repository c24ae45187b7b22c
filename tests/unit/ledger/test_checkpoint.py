import pytest

from stepdown.adapters.ledger.keys import is_signed
from stepdown.domain.records import LedgerError
from stepdown.ledger.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from stepdown.ledger.signed_note import parse_note, sign_note
from tests.fakes.ledger_keys import Witness, note_signer

NAME = "hospital.example/ledger"
SIGNER = note_signer(NAME)
CHECKPOINT = Checkpoint(origin=NAME, size=7, root=b"\x05" * 32)
NOTE = sign_checkpoint(CHECKPOINT, SIGNER)
WITNESS = Witness("witness.example/w1")


def signed_text(text: str) -> str:
    return sign_note(text, SIGNER).encode()


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [NAME, "7", "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=", ""]
    assert lines[4].startswith(f"— {NAME} ")
    assert verify_checkpoint(NOTE, SIGNER.key, is_signed) == CHECKPOINT


def test_extension_lines_are_signed_and_passed_over() -> None:
    note = signed_text(CHECKPOINT.text() + "extension\n")
    assert verify_checkpoint(note, SIGNER.key, is_signed) == CHECKPOINT


def test_a_checkpoint_of_another_key_is_refused() -> None:
    with pytest.raises(LedgerError, match="not signed by"):
        verify_checkpoint(NOTE, note_signer(NAME, seed=2).key, is_signed)


def test_a_checkpoint_of_another_ledger_is_refused_even_if_the_key_signed_it() -> None:
    note = signed_text(CHECKPOINT.text().replace(NAME, "hospital.example/other"))
    with pytest.raises(LedgerError, match=r"is of hospital\.example/other"):
        verify_checkpoint(note, SIGNER.key, is_signed)


def test_a_changed_checkpoint_is_refused() -> None:
    with pytest.raises(LedgerError, match="not over this text"):
        verify_checkpoint(NOTE.replace("\n7\n", "\n8\n"), SIGNER.key, is_signed)


@pytest.mark.parametrize(
    "text",
    [
        "a\n",
        "\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "a\n07\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "a\n-7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "a\n7\nBQUF\n",
        "a\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n\nb\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="not a checkpoint"):
        parse_checkpoint(parse_note(signed_text(text)))


def test_a_witness_says_when_it_saw_the_checkpoint() -> None:
    cosigned = WITNESS.cosign(NOTE, time_s=1_800_000_000)
    seen = verify_cosignature(cosigned, WITNESS.key, is_signed)
    assert (seen.witness, seen.time_s) == ("witness.example/w1", 1_800_000_000)
    assert verify_checkpoint(cosigned, SIGNER.key, is_signed) == CHECKPOINT


def test_the_word_of_a_witness_is_needed_over_this_very_checkpoint() -> None:
    with pytest.raises(LedgerError, match="not cosigned by"):
        verify_cosignature(NOTE, WITNESS.key, is_signed)
    moved = WITNESS.cosign(NOTE, time_s=5).replace("\n7\n", "\n8\n")
    with pytest.raises(LedgerError, match="not over this checkpoint"):
        verify_cosignature(moved, WITNESS.key, is_signed)
    with pytest.raises(LedgerError, match="not the key of a witness"):
        verify_cosignature(NOTE, SIGNER.key, is_signed)
