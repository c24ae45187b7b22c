"""Decides whether the texts of a request may be taken: identifiers are opaque, and nothing reads like a person."""

from collections.abc import Iterator

from stepdown.clinical.identifiers import Suspicion, free_text, identifying_pattern, is_plain, token_suspicion
from stepdown.domain.errors import FieldViolation
from stepdown.domain.reasons import RejectReason

# Longer texts are refused or ignored for their length; no pattern is run over the rest of them.
_EXAMINED_CHARACTERS = 128
_LONGEST_CODE = 64

_OPAQUE = "letters, digits and ._~:/+=#|- only"


def token_violations(field: str, token: str, *, maximum: int) -> Iterator[FieldViolation]:
    """What is wrong with a required subject or encounter token."""
    if not token:
        yield FieldViolation(field=field, reason=RejectReason.ID_REQUIRED, description="required")
        return
    yield from _form(field, token, maximum=maximum)
    if len(token) <= maximum:
        yield from _identifying(field, token_suspicion(token))


def identifier_violations(
    field: str, identifier: str, *, maximum: int, required: bool = False
) -> Iterator[FieldViolation]:
    """What is wrong with the name of a request, source or reason: a machine's word, so a bare number is fine."""
    if not identifier:
        if required:
            yield FieldViolation(field=field, reason=RejectReason.ID_REQUIRED, description="required")
        return
    yield from _form(field, identifier, maximum=maximum)
    if len(identifier) <= maximum:
        yield from _identifying(field, free_text(identifier))


def code_violations(field: str, text: str) -> Iterator[FieldViolation]:
    """What is wrong with a code, unit or answer not known here: a typing error is dropped later, a person refused."""
    examined = text[:_EXAMINED_CHARACTERS]
    typed = free_text(examined) if len(text) > _LONGEST_CODE else identifying_pattern(examined)
    yield from _identifying(field, typed)


def _form(field: str, text: str, *, maximum: int) -> Iterator[FieldViolation]:
    if len(text) > maximum:
        yield FieldViolation(
            field=field, reason=RejectReason.ID_FORMAT, description=f"longer than {maximum} characters"
        )
    elif not is_plain(text):
        yield FieldViolation(field=field, reason=RejectReason.ID_FORMAT, description=f"may hold {_OPAQUE}")


def _identifying(field: str, suspicion: Suspicion | None) -> Iterator[FieldViolation]:
    if suspicion is not None:
        description = f"looks like {suspicion}: send an opaque token that only the sender can resolve"
        yield FieldViolation(field=field, reason=RejectReason.PHI_SUSPECTED, description=description)
