"""The parcel a worker is started with: its order and the verified files it needs, in one sealed memfd.

Sealed against writing, growing and shrinking before the child exists, so the bytes that were verified are the bytes
that are loaded, and no path is read in between. What is encrypted at rest is in the clear here and nowhere else.
Layout, little-endian: magic, bytes of the order, number of files; the order (JSON); per file the lengths of name and
content, then the name; then the contents, each on a 64-byte boundary. Refuses a parcel that is not sealed or does not
add up.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason

_MAGIC = b"stepdown parcel1"
_HEAD = struct.Struct("<16sII")
_ENTRY = struct.Struct("<IQ")
_ALIGNMENT = 64
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class DelayedContent(Protocol):
    """Content that comes into being only inside the parcel, such as what an encrypted file holds."""

    def __len__(self) -> int:
        """How many bytes it will be."""

    def write_into(self, place: memoryview) -> None:
        """Fill a buffer of exactly that length. Raises whatever it must; the parcel is then given up."""


Content: TypeAlias = bytes | DelayedContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """An order and files by name. The files are views of sealed memory: no copy was made."""

    order: bytes
    files: Mapping[str, memoryview]


def seal_parcel(order: bytes, files: Mapping[str, Content]) -> int:
    """A descriptor of sealed memory that holds the parcel. The caller closes it.

    Raises: OSError, and what delayed content raises.
    """
    descriptor = os.memfd_create("stepdown-parcel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _write(descriptor, order, files)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_parcel(descriptor: int) -> Parcel:
    """What lies in a sealed descriptor. Raises: WorkerError when it is not sealed or does not add up."""
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError as error:
        raise _malformed("not sealable memory") from error
    if seals & _SEALS != _SEALS:
        raise _malformed("not sealed")
    size = os.fstat(descriptor).st_size
    memory = memoryview(mmap.mmap(descriptor, size, prot=mmap.PROT_READ)) if size else memoryview(b"")
    try:
        return _read(memory)
    except (struct.error, UnicodeDecodeError) as error:
        raise _malformed("cut short") from error


def _write(descriptor: int, order: bytes, files: Mapping[str, Content]) -> None:
    names = {name: name.encode() for name in files}
    head = _HEAD.pack(_MAGIC, len(order), len(files)) + order
    head += b"".join(_ENTRY.pack(len(names[name]), len(data)) + names[name] for name, data in files.items())
    _write_all(descriptor, head)
    position = len(head)
    for data in files.values():
        _write_all(descriptor, bytes(-position % _ALIGNMENT))
        position += -position % _ALIGNMENT
        if isinstance(data, bytes):
            _write_all(descriptor, data)
        else:
            _fill(descriptor, data, position)
        position += len(data)


def _fill(descriptor: int, content: DelayedContent, position: int) -> None:
    """Have content made where it will lie, without a copy anywhere else."""
    end = position + len(content)
    os.ftruncate(descriptor, end)
    memory = mmap.mmap(descriptor, end)
    with memoryview(memory)[position:end] as place:
        content.write_into(place)
    memory.close()  # or the parcel could not be sealed against writing
    os.lseek(descriptor, end, os.SEEK_SET)


def _write_all(descriptor: int, part: bytes) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(memory: memoryview) -> Parcel:
    magic, order_bytes, count = _HEAD.unpack_from(memory)
    if magic != _MAGIC:
        raise _malformed("not a parcel of this version")
    position = _HEAD.size + order_bytes
    order = bytes(memory[_HEAD.size : position])
    entries = []
    for _ in range(count):
        name_bytes, content_bytes = _ENTRY.unpack_from(memory, position)
        position += _ENTRY.size + name_bytes
        entries.append((str(memory[position - name_bytes : position], "utf-8"), content_bytes))
    files = {}
    for name, content_bytes in entries:
        position += -position % _ALIGNMENT
        files[name] = memory[position : position + content_bytes]
        position += content_bytes
    if position != len(memory) or len(files) != count:
        raise _malformed("its lengths do not add up")
    return Parcel(order=order, files=files)


def _malformed(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"parcel: {detail}")
