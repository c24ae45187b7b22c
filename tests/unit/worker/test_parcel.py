import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker import parcel
from stepdown.worker.parcel import Content, open_parcel, seal_parcel

FILES = {"model.onnx": b"graph" * 100, "weights/a.bin": b"\x00" * 1000, "empty": b""}


@pytest.fixture
def sealed() -> Iterator[int]:
    descriptor = seal_parcel(b'{"order": 1}', FILES)
    yield descriptor
    os.close(descriptor)


def resealed(content: bytes, seals: int) -> int:
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def test_what_was_packed_is_what_is_unpacked(sealed: int) -> None:
    opened = open_parcel(sealed)
    assert opened.order == b'{"order": 1}'
    assert {name: bytes(data) for name, data in opened.files.items()} == FILES


class Late:
    """Content that is made where it will lie."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __len__(self) -> int:
        return len(self._content)

    def write_into(self, place: memoryview) -> None:
        place[:] = self._content


class Broken(Late):
    def write_into(self, place: memoryview) -> None:
        inner = place[1:]
        raise WorkerError(reason=Reason.BUNDLE_NOT_DECRYPTED, detail=f"{len(inner)}")


def test_content_that_is_made_in_the_parcel_lies_there_as_any_other() -> None:
    late: dict[str, Content] = {
        "first": Late(b"one"),
        "second": b"two" * 100,
        "third": Late(b"x" * 5000),
        "empty": Late(b""),
    }
    descriptor = seal_parcel(b"{}", late)
    try:
        files = open_parcel(descriptor).files
        assert [bytes(files[name]) for name in late] == [b"one", b"two" * 100, b"x" * 5000, b""]
    finally:
        os.close(descriptor)


def test_a_parcel_whose_content_cannot_be_made_is_given_up() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(WorkerError, match="BUNDLE_NOT_DECRYPTED"):
        seal_parcel(b"{}", {"model.onnx": Broken(b"content")})
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_files_are_views_that_cannot_be_written(sealed: int) -> None:
    view = open_parcel(sealed).files["model.onnx"]
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 0


@pytest.mark.parametrize("size", [0, 1 << 20])
def test_nobody_can_change_it_afterwards(sealed: int, size: int) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(sealed, size)
    with pytest.raises(PermissionError):
        os.pwrite(sealed, b"x", 0)


@pytest.mark.parametrize("missing", [fcntl.F_SEAL_WRITE, fcntl.F_SEAL_GROW, fcntl.F_SEAL_SHRINK])
def test_a_parcel_that_lacks_a_seal_is_not_opened(sealed: int, missing: int) -> None:
    everything = parcel._SEALS  # noqa: SLF001
    descriptor = resealed(os.pread(sealed, 1 << 20, 0), everything & ~missing)
    try:
        with pytest.raises(WorkerError, match="not sealed"):
            open_parcel(descriptor)
    finally:
        os.close(descriptor)


def test_an_ordinary_file_is_no_parcel() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(WorkerError, match="not sealable"):
            open_parcel(read)
    finally:
        os.close(read)
        os.close(write)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8), st.booleans())
def test_any_damage_is_a_worker_error_or_a_parcel_and_nothing_else(place: int, damage: bytes, cut: bool) -> None:
    good = seal_parcel(b"{}", {"a": b"1" * 30, "bb": b"2" * 200})
    content = os.pread(good, 1 << 16, 0)
    os.close(good)
    damaged = content[:place] if cut else content[:place] + damage + content[place + len(damage) :]
    descriptor = resealed(damaged, parcel._SEALS)  # noqa: SLF001
    try:
        open_parcel(descriptor)
    except WorkerError:
        return
    finally:
        os.close(descriptor)


def test_a_parcel_that_cannot_be_written_leaves_no_descriptor_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(TypeError):
        seal_parcel(b"", {"a": 7})  # type: ignore[dict-item]
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
