"""Requests as bytes, made once and stamped with an id for each sending.

Concatenated protobuf messages merge, and the last value of a plain field wins (Protocol Buffers encoding, "Last One
Wins"). So a stamp is a few bytes after a message that was serialised once, and the generator leaves the processors to
the server under test.
"""

from collections.abc import Iterable

_LENGTH_DELIMITED = 2
_REQUEST_ID = 1
_URGENCY = 10
_ITEM = 1
_SEVEN_BITS = 0x7F
_MORE = 0x80


def request_frame(template: bytes, *, request_id: str, urgency: int) -> bytes:
    """An `AssessRiskRequest` with this id and urgency, whatever the template holds in their place."""
    return template + _field(_REQUEST_ID, request_id.encode("ascii")) + _varint(_URGENCY << 3) + _varint(urgency)


def batch_frame(requests: Iterable[bytes]) -> bytes:
    """A `BatchAssessRiskRequest` of these."""
    return b"".join(_field(_ITEM, request) for request in requests)


def stream_frame(request: bytes) -> bytes:
    """A `StreamAssessRiskRequest` of this one."""
    return _field(_ITEM, request)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    return bytes((*encoded, number))
