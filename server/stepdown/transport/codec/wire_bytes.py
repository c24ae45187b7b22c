"""Fields of a message as the wire holds them (protobuf.dev/programming-guides/encoding), for answers by the thousand.

An answer holds some sixty small messages. Made one by one as objects they cost more than the model behind them; most of
their bytes are the same from answer to answer, and are kept ready instead. What is written here equals, byte for byte,
what the generated classes write: tests compare the two. Refuses to read anything.

A `tag` is the field's number and kind as it stands before the field.
"""

from functools import lru_cache
from struct import Struct

from stepdown.transport.codec.times import seconds_and_nanos

_DOUBLE = Struct("<d").pack
_ZERO = _DOUBLE(0.0)
_SHORT = tuple(bytes((number,)) for number in range(128))
_TWOS_COMPLEMENT = (1 << 64) - 1
_KINDS = {"number": 0, "double": 1, "bytes": 2}


def tag(number: int, kind: str) -> bytes:
    """What stands before a field: `kind` is number (integers, enums and truth values), double or bytes (also texts)."""
    return varint(number << 3 | _KINDS[kind])


def varint(number: int) -> bytes:
    """An integer in as few groups of seven bits as it takes; negative ones take ten."""
    if 0 <= number < 128:  # noqa: PLR2004  # one group
        return _SHORT[number]
    if 1 << 28 <= number < 1 << 35:  # five groups: instants of our time, and most fractions of a second
        return bytes(
            (
                number & 127 | 128,
                number >> 7 & 127 | 128,
                number >> 14 & 127 | 128,
                number >> 21 & 127 | 128,
                number >> 28,
            )
        )
    number &= _TWOS_COMPLEMENT
    groups = bytearray()
    while number > 127:  # noqa: PLR2004
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def counted(tag: bytes, number: int) -> bytes:
    """An integer, enum or truth value; zero is not sent."""
    return tag + varint(number) if number else b""


def text(tag: bytes, value: str) -> bytes:
    """A text; the empty one is not sent."""
    if not value:
        return b""
    encoded = value.encode()
    return tag + varint(len(encoded)) + encoded


def embedded(tag: bytes, content: bytes) -> bytes:
    """A message inside another, empty or not."""
    return tag + varint(len(content)) + content


def double(tag: bytes, value: float) -> bytes:
    """A number; zero is not sent, unlike minus zero."""
    packed = _DOUBLE(value)
    return tag + packed if packed != _ZERO else b""


def present_double(tag: bytes, value: float) -> bytes:
    """A number in a field that knows whether it is set."""
    return tag + _DOUBLE(value)


@lru_cache(maxsize=4096)
def instant(tag: bytes, unix_time_s: float) -> bytes:
    """A `Timestamp`. The channels of a request share most of their instants."""
    seconds, nanos = seconds_and_nanos(unix_time_s)
    return embedded(tag, counted(b"\x08", seconds) + counted(b"\x10", nanos))
