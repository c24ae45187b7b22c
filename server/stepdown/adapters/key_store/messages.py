"""What the attendant is asked and answers: one JSON object a line, bytes as base64. Refuses lines without end."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

MAXIMUM_LINE = 1 << 20
_BYTES = "base64"


def encode_line(message: Mapping[str, Any]) -> bytes:
    """The message as a line."""
    return json.dumps(message, default=_encoded).encode() + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """The message in a line. Raises: ValueError."""
    message = json.loads(line, object_hook=_decoded)
    if not isinstance(message, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for every malformed line
    return message


def _encoded(value: object) -> object:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return {_BYTES: b64encode(value).decode("ascii")}


def _decoded(value: dict[str, Any]) -> object:
    return b64decode(value[_BYTES], validate=True) if set(value) == {_BYTES} else value
