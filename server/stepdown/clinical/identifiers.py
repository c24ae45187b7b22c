"""Decides whether a token or identifier may be taken: opaque, short, plain ASCII, and nothing that reads like a person.

HIPAA safe harbour (45 CFR 164.514(b)(2)) lists what identifies. A pattern cannot prove that a token is a pseudonym; it
catches the integration that sends the record number, the national number, the name or a sentence instead. Never repeats
what it saw.
"""

import re
from enum import StrEnum

_PLAIN = re.compile(r"[A-Za-z0-9._~:/+=#|-]+", re.ASCII)
_WORDS_APART = re.compile(r"[^\W\d_] +[^\W\d_]|\w[,;] *\w")
_E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# The look-arounds keep a digest or UUID, whose digit runs touch letters, from matching by chance.
_SOCIAL_SECURITY = re.compile(r"(?<![0-9A-Za-z])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9A-Za-z])", re.ASCII)
_TEN_DIGITS = re.compile(r"(?<![0-9A-Za-z])([0-9]{3})([ -]?)([0-9]{3})([ -]?)([0-9]{4})(?![0-9A-Za-z])", re.ASCII)
_LABELLED_NUMBER = re.compile(
    r"(?<![0-9a-z])(?:mrn|ssn|nhs|nhi|chi|pid|dob|hospno|patientid|medicare)[\s:#_./=-]*[0-9]{3,}(?![0-9a-z])",
    re.IGNORECASE | re.ASCII,
)
# Five to ten digits. Twelve hexadecimal digits of a random token hold no letter once in 300.
_DIGITS_ONLY = re.compile(r"[0-9](?:[ ./-]*[0-9]){4,9}", re.ASCII)
_CAPITALISED_WORD = re.compile(r"[A-Z][a-z]+(?=[A-Z][a-z]+)")
_PRONOUNCEABLE = re.compile(r"^(?=.*[aeiouy]).{3,}$", re.ASCII | re.IGNORECASE)
_WORD_BREAK = re.compile(r"[\s._,'+-]+")
# Words that name a record rather than a person: `demo-subject` is no name, `john-smith` is.
_RECORD_WORDS = frozenset(
    {
        "bed",
        "canary",
        "case",
        "client",
        "demo",
        "enc",
        "encounter",
        "example",
        "icu",
        "id",
        "key",
        "patient",
        "pseudonym",
        "record",
        "replay",
        "request",
        "simulated",
        "simulator",
        "source",
        "stay",
        "sub",
        "subject",
        "synthetic",
        "test",
        "token",
        "trace",
        "unit",
        "visit",
        "ward",
    }
)
_NHS_WEIGHTS = range(10, 1, -1)
_NHS_DIGITS = 10
_LONGEST_NAME = 40
_WORDS_OF_A_NAME = (2, 3, 4)
_SHORTEST_SURNAME = 2


class Suspicion(StrEnum):
    """What an identifier looks like instead of an opaque one."""

    E_MAIL = "an e-mail address"
    SOCIAL_SECURITY_NUMBER = "a social security number"
    NHS_NUMBER = "an NHS number"
    LABELLED_NUMBER = "a record number with its label"
    PLAIN_NUMBER = "a record number"
    NAME = "a personal name"
    FREE_TEXT = "free text"


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits carry the Modulus 11 check digit of an NHS number (NHS Data Dictionary)."""
    total = sum(weight * int(digit) for weight, digit in zip(_NHS_WEIGHTS, digits[:9], strict=True))
    return (11 - total % 11) % 11 == int(digits[9])


def is_plain(text: str) -> bool:
    """Whether an identifier keeps to printable ASCII without spaces, quotes, brackets or control characters."""
    return _PLAIN.fullmatch(text) is not None


def identifying_pattern(text: str) -> Suspicion | None:
    """What anywhere in `text` identifies a person by its pattern alone; None if nothing does."""
    if "@" in text and _E_MAIL.search(text):
        return Suspicion.E_MAIL
    if "-" in text and _SOCIAL_SECURITY.search(text):
        return Suspicion.SOCIAL_SECURITY_NUMBER
    if "-" in text or " " in text:
        for first, gap, second, _, third in _TEN_DIGITS.findall(text):
            if gap and is_nhs_number(first + second + third):
                return Suspicion.NHS_NUMBER
    if _LABELLED_NUMBER.search(text):
        return Suspicion.LABELLED_NUMBER
    return None


def free_text(text: str) -> Suspicion | None:
    """An identifying pattern, or words with a space or comma between them: somebody typed this."""
    return identifying_pattern(text) or _typed(text)


def _typed(text: str) -> Suspicion | None:
    """Words with a space or comma between them; most texts hold nothing that could stand there."""
    if " " in text or "," in text or ";" in text:
        return Suspicion.FREE_TEXT if _WORDS_APART.search(text) else None
    return None


def token_suspicion(token: str) -> Suspicion | None:
    """What a subject or encounter token looks like instead of a pseudonym; None if it may be one.

    Stricter than `free_text`: a bare number of record-number length and a name without spaces count too.
    """
    found = identifying_pattern(token)
    if found is None and _DIGITS_ONLY.fullmatch(token):
        digits = re.sub(r"\D", "", token)
        nhs = len(digits) == _NHS_DIGITS and is_nhs_number(digits)
        found = Suspicion.NHS_NUMBER if nhs else Suspicion.PLAIN_NUMBER
    if found is None and _reads_like_a_name(token):
        found = Suspicion.NAME
    return found or _typed(token)


def _reads_like_a_name(token: str) -> bool:
    """Two to four cased words of letters alone, after words for records are set aside. A UUID always holds digits.

    Letters that run on are split at their capitals, and each part must be pronounceable: a short random token in
    base64 may lack digits, but seldom vowels.
    """
    if len(token) > _LONGEST_NAME:
        return False
    spread = token
    if token.isalpha():
        spread = _CAPITALISED_WORD.sub(lambda word: f"{word[0]} ", token)
        if not all(_PRONOUNCEABLE.search(word) for word in spread.split()):
            return False
    words = [word for word in _WORD_BREAK.split(spread) if word.casefold() not in _RECORD_WORDS]
    several = len(words) in _WORDS_OF_A_NAME and max(map(len, words)) >= _SHORTEST_SURNAME
    return several and all(_is_cased_word(word) for word in words)


def _is_cased_word(word: str) -> bool:
    return word.isalpha() and (word.islower() or word.isupper() or word.istitle())
