"""Strict reading of the three notations a bundle is written in: JSON, TOML and base64.

A notation that lets one meaning be written in many ways lets a changed byte go unnoticed, and two readers disagree.
So a JSON key said twice, a number that is not one, text that is not UTF-8 and base64 with spare bits are refused.
Refuses to know what a document is about: that belongs to whoever asked.
"""

import base64
import binascii
import json
import tomllib

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule


def quoted(text: str, *, characters: int = 60) -> str:
    """Text from a document, fit for a message: ASCII, escaped and short, so that it can do nothing to a terminal."""
    shown = text if len(text) <= characters else text[:characters] + "..."
    return ascii(shown)


def decode_utf8(text: bytes, *, rule: TrustRule, what: str, maximum_bytes: int) -> str:
    """The text of a document no longer than `maximum_bytes`. Raises: TrustError with the caller's `rule`."""
    if len(text) > maximum_bytes:
        raise TrustError(rule=rule, detail=f"{what}: {len(text)} bytes, at most {maximum_bytes} are read")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TrustError(rule=rule, detail=f"{what}: not UTF-8 at byte {error.start}") from error


def parse_json(text: bytes, *, rule: TrustRule, what: str, maximum_bytes: int) -> object:
    """The value of a JSON document in which no key is said twice. Raises: TrustError with the caller's `rule`."""
    decoded = decode_utf8(text, rule=rule, what=what, maximum_bytes=maximum_bytes)
    try:
        return json.loads(decoded, object_pairs_hook=_object_without_repetition, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise TrustError(rule=rule, detail=f"{what}: not strict JSON ({_reason(error)})") from error


def parse_toml(text: bytes, *, rule: TrustRule, what: str, maximum_bytes: int) -> dict[str, object]:
    """The top table of a TOML document. Raises: TrustError with the caller's `rule`."""
    decoded = decode_utf8(text, rule=rule, what=what, maximum_bytes=maximum_bytes)
    try:
        return tomllib.loads(decoded)
    except (ValueError, RecursionError) as error:
        raise TrustError(rule=rule, detail=f"{what}: not TOML ({_reason(error)})") from error


def decode_base64(text: str, *, rule: TrustRule, what: str) -> bytes:
    """The bytes behind standard base64, written the one canonical way (RFC 4648 §3.5).

    Raises: TrustError with the caller's `rule`.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise TrustError(rule=rule, detail=f"{what}: not base64") from error
    if base64.b64encode(decoded).decode("ascii") != text:
        raise TrustError(rule=rule, detail=f"{what}: base64 with spare bits or padding")
    return decoded


def _object_without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is said twice in one object")
    return table


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _reason(error: Exception) -> str:
    """Why a parser gave up, without the document's own text, which some messages quote."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} column {error.colno}"
    return quoted(str(error)).strip("'\"")
