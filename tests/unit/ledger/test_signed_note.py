from base64 import b64encode

import pytest

from stepdown.adapters.ledger.keys import is_signed
from stepdown.domain.records import LedgerError
from stepdown.ledger.signed_note import (
    COSIGNATURE_V1,
    NoteKey,
    is_key_name,
    parse_key,
    parse_note,
    sign_note,
    signed_by,
)
from tests.fakes.ledger_keys import note_signer

# The example of golang.org/x/mod/sumdb/note, where the format comes from.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PUBLISHED_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PUBLISHED = f"{PUBLISHED_TEXT}\n{PUBLISHED_SIGNATURE}"
SIGNER = note_signer("hospital.example/ledger")


def test_the_published_note_is_verified_with_its_published_key() -> None:
    key = parse_key(PUBLISHED_KEY)
    note = parse_note(PUBLISHED)
    assert signed_by(note, (key,), is_signed) == (key,)
    assert note.text == PUBLISHED_TEXT
    assert note.encode() == PUBLISHED
    assert key.line() == PUBLISHED_KEY


def test_a_note_that_was_signed_here_is_verified_here() -> None:
    note = parse_note(sign_note("a\n\nb\n", SIGNER).encode())
    assert note.text == "a\n\nb\n"
    assert signed_by(note, (SIGNER.key,), is_signed) == (SIGNER.key,)


def test_a_signature_of_a_known_key_that_is_wrong_is_an_error() -> None:
    note = parse_note(PUBLISHED.replace("answer", "enswer"))
    with pytest.raises(LedgerError, match="signature of PeterNeumann is not over this text"):
        signed_by(note, (parse_key(PUBLISHED_KEY),), is_signed)


def test_a_signature_of_an_unknown_key_is_nobodys_business() -> None:
    assert signed_by(parse_note(PUBLISHED), (SIGNER.key,), is_signed) == ()


@pytest.mark.parametrize("text", ["", "a", "a\tb\n", "a\rb\n", "a\x00\n", "a\ud800\n"], ids=map(str, range(6)))
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(LedgerError, match="line feed"):
        sign_note(text, SIGNER)


@pytest.mark.parametrize(
    "note",
    [
        "",
        PUBLISHED_TEXT,
        f"{PUBLISHED_TEXT}\n",
        PUBLISHED[:-1],
        PUBLISHED.replace("—", "-"),
        PUBLISHED.replace("then", "\x07then"),
        PUBLISHED.replace("then", "\ud800then"),
        f"{PUBLISHED_TEXT}\n— name x08go\n",
        f"{PUBLISHED_TEXT}\n— name x08=\n",
        f"{PUBLISHED_TEXT}\n— na+me {'A' * 88}\n",
        f"{PUBLISHED_TEXT}\n— name {b64encode(b'1234').decode()}\n",
        f"{'a' * 70_000}\n{PUBLISHED}",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(LedgerError, match="not a sign"):
        parse_note(note)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PUBLISHED_KEY.replace("c74f", "c74e"),
        PUBLISHED_KEY.replace("ARpc", "Ag=="),
        PUBLISHED_KEY.replace("ARpc", "AhpC"),
        PUBLISHED_KEY[:-4],
    ],
)
def test_what_is_no_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(LedgerError, match="not a verifier key"):
        parse_key(line)


def test_the_key_of_a_witness_is_another_than_that_of_a_signer() -> None:
    key = NoteKey(name="witness", public_key=b"\x01" * 32, algorithm=COSIGNATURE_V1)
    assert parse_key(key.line()) == key
    assert key.key_id != NoteKey(name="witness", public_key=b"\x01" * 32).key_id


@pytest.mark.parametrize(
    ("name", "fits"), [("hospital.example/a", True), ("", False), ("a b", False), ("a+b", False), ("a\x7f", False)]
)
def test_a_key_has_a_name_that_fits_on_a_line(name: str, *, fits: bool) -> None:
    assert is_key_name(name) is fits
