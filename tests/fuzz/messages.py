"""Messages that are nearly right: seeds, changed field by field along their descriptors, and then byte by byte.

Refuses to know any message by name: what a descriptor holds is what is drawn.
"""

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_TEXTS = (
    "", "x", "0", "-1", "sepsis-early-warning", "echo", "full", "rules", "../../etc/passwd", "%s%n", "{0}", "NaN",
    "http://loinc.org", "8867-4", "/min", "hospital.example/ledger/3", "a" * 129, "é" * 64, "\u0000", "\u202e",
    "Anna Meier", "x@y.example", "\U0001f9a0", "'; DROP TABLE record;--", "9" * 40, "FP32", "observations",
)  # fmt: skip
_INTEGERS = (0, 1, -1, 2, 7, 64, 127, 128, 255, 1 << 15, 1 << 31, (1 << 31) - 1, -(1 << 31), (1 << 63) - 1, -(1 << 63))
_FRACTIONS = (0.0, -0.0, 1.0, -1.0, 37.0, 1e-308, 1e308, math.inf, -math.inf, math.nan, 98.6, 5e-324)
_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
}
_MOST_REPEATED = 12
_DEEPEST = 6


class Mutator:
    """Draws from one seeded source, so that a finding can be made again."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def mutated(self, seed: Message) -> bytes:
        """The seed as bytes, after a few changes; sometimes not even a message any more."""
        message = type(seed)()
        message.CopyFrom(seed)
        for _ in range(self._random.choice((0, 1, 1, 2, 3, 8))):
            self._change(message, depth=0)
        content = message.SerializeToString()
        return self._torn(content) if self._random.random() < 0.15 else content

    def _change(self, message: Message, *, depth: int) -> None:
        fields: list[Any] = list(message.DESCRIPTOR.fields)
        if not fields:
            return
        field = self._random.choice(fields)
        inner = list(_inner(message))
        if inner and depth < _DEEPEST and self._random.random() < 0.6:
            self._change(self._random.choice(inner), depth=depth + 1)
        elif self._random.random() < 0.2:
            message.ClearField(field.name)
        elif field.is_repeated:
            self._change_repeated(message, field, depth)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            part = getattr(message, field.name)
            part.SetInParent()
            self._change(part, depth=depth + 1)
        else:
            setattr(message, field.name, self._scalar(field))

    def _change_repeated(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        values = getattr(message, field.name)
        if _is_map(field):
            self._change_map(values, field)
        elif len(values) and self._random.random() < 0.3:
            del values[self._random.randrange(len(values))]
        elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            if len(values) and self._random.random() < 0.5:
                values.add().CopyFrom(values[self._random.randrange(len(values) - 1 or 1)])
            else:
                self._change(values.add(), depth=depth + 1)
        else:
            values.extend(self._scalar(field) for _ in range(self._random.randrange(_MOST_REPEATED)))

    def _change_map(self, values: Any, field: FieldDescriptor) -> None:  # noqa: ANN401 - protobuf's own containers
        entry: Any = field.message_type.fields_by_name  # type: ignore[union-attr]  # a map's field has one
        key = self._scalar(entry["key"])
        if entry["value"].cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            self._change(values[key], depth=_DEEPEST)
        else:
            values[key] = self._scalar(entry["value"])

    def _scalar(self, field: FieldDescriptor) -> Any:  # noqa: ANN401 - whatever the field takes
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._random.random() < 0.5
        if field.cpp_type in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
            return self._random.choice(_FRACTIONS)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._random.randbytes(self._random.choice((0, 1, 4, 7, 32, 200)))
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._random.choice(_TEXTS)
        least, most = _BITS[field.cpp_type]
        known = [value.number for value in field.enum_type.values] if field.enum_type is not None else []
        return max(least, min(most, self._random.choice((*_INTEGERS, *known, *known))))

    def _torn(self, content: bytes) -> bytes:
        """Cut, doubled, flipped or stuffed."""
        torn = bytearray(content)
        for _ in range(self._random.choice((1, 1, 2, 8))):
            place = self._random.randrange(len(torn) + 1)
            kind = self._random.randrange(4)
            if kind == 0:
                del torn[place:]
            elif kind == 1:
                torn[place:place] = self._random.randbytes(self._random.choice((1, 2, 9)))
            elif kind == 2 and place < len(torn):
                torn[place] ^= 1 << self._random.randrange(8)
            else:
                torn[place:place] = torn[max(0, place - 16) : place]
        return bytes(torn)


def _inner(message: Message) -> Iterator[Message]:
    """The messages that are set in a message."""
    for field, value in message.ListFields():
        if field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE or _is_map(field):
            continue
        if field.is_repeated:
            yield from value
        else:
            yield value


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
