"""Tokens: what a pseudonym looks like, and what a person looks like."""

import base64
import random
import uuid

import pytest

from stepdown.clinical.identifiers import Suspicion, free_text, is_nhs_number, is_plain, token_suspicion


@pytest.mark.parametrize(
    ("token", "suspicion"),
    [
        ("jane@doe.example", Suspicion.E_MAIL),
        ("x:jane@doe.example", Suspicion.E_MAIL),
        ("123-45-6789", Suspicion.SOCIAL_SECURITY_NUMBER),
        ("943 476 5919", Suspicion.NHS_NUMBER),
        ("nr/943-476-5919", Suspicion.NHS_NUMBER),
        ("9434765919", Suspicion.NHS_NUMBER),
        ("9434765918", Suspicion.PLAIN_NUMBER),
        ("MRN:00123", Suspicion.LABELLED_NUMBER),
        ("ward/mrn_123456", Suspicion.LABELLED_NUMBER),
        ("12345", Suspicion.PLAIN_NUMBER),
        ("1950-03-12", Suspicion.PLAIN_NUMBER),
        ("Doe, Jane", Suspicion.NAME),
        ("j-smith", Suspicion.NAME),
        ("O'Brien", Suspicion.NAME),
        ("van-den-berg-jansen", Suspicion.NAME),
        ("smith in bed 7", Suspicion.FREE_TEXT),
    ],
)
def test_what_a_token_looks_like(token: str, suspicion: Suspicion) -> None:
    assert token_suspicion(token) is suspicion


@pytest.mark.parametrize(
    "token",
    [
        "demo-subject",
        "encounter-one",
        "p000001",
        "ward-7-bed-3",
        "token",
        "1234",
        "20261122093000123456",
        "aB-cD",
        "a-b",
        "one-two-three-four-five",
    ],
)
def test_what_may_be_a_pseudonym_or_a_counter_is_let_through(token: str) -> None:
    assert token_suspicion(token) is None
    assert is_plain(token)


def test_digests_and_uuids_are_let_through() -> None:
    draw = random.Random(20261122)
    for _ in range(2_000):
        digest = draw.randbytes(32)
        for token in (
            digest.hex(),
            digest[:16].hex(),
            str(uuid.UUID(bytes=digest[:16])),
            base64.b64encode(digest).decode(),
            base64.urlsafe_b64encode(digest).decode().rstrip("="),
            base64.b32encode(digest).decode(),
        ):
            assert token_suspicion(token) is None, token
            assert is_plain(token)


@pytest.mark.parametrize("digits", ["9434765919", "4010232137", "5990128088"])
def test_the_check_digit_of_an_nhs_number(digits: str) -> None:
    assert is_nhs_number(digits)
    assert not is_nhs_number(digits[:-1] + str((int(digits[-1]) + 1) % 10))


def test_a_machine_word_may_be_a_number_and_a_sentence_may_not() -> None:
    assert free_text("123456789") is None
    assert free_text("9434765919") is None
    assert free_text("not-performed") is None
    assert free_text("not performed") is Suspicion.FREE_TEXT
    assert free_text("Nurse;7") is Suspicion.FREE_TEXT


@pytest.mark.parametrize("text", ["a b", "a\n", "\x00", "é", "a'b", 'a"b', "a<b", "", "a\u202eb"])
def test_only_plain_ascii_is_plain(text: str) -> None:
    assert not is_plain(text)


def test_ten_digits_with_another_check_digit_and_a_very_long_word_name_nobody() -> None:
    assert free_text("nr/943-476-5918") is None
    assert token_suspicion("Margaret" * 6) is None
