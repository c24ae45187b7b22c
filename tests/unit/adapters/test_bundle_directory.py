"""Reading a bundle's folder once, and refusing whatever is not a plain file of sane size."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stepdown.adapters.bundle_directory import BundleDirectory, ReadLimits, read_directory
from stepdown.domain.errors import TrustError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf" / "news2" / "1.0.0"
    (folder / "weights").mkdir(parents=True)
    (folder / "rules.toml").write_bytes(b"bands")
    (folder / "weights" / "w.bin").write_bytes(b"\0" * 3_000_000)
    (folder / "empty.txt").touch()
    return folder


def refused(folder: Path, limits: ReadLimits | None = None) -> TrustError:
    with pytest.raises(TrustError) as error:
        read_directory(folder, limits=limits)
    return error.value


def test_every_file_is_read_by_its_path_in_the_bundle(bundle: Path) -> None:
    assert read_directory(bundle) == {"rules.toml": b"bands", "weights/w.bin": b"\0" * 3_000_000, "empty.txt": b""}


def test_bundles_are_found_by_name_and_version_in_the_first_root_that_has_them(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "news2" / "2.0.0"
    other.mkdir(parents=True)
    (other / "a").touch()
    shelves = BundleDirectory(roots=(tmp_path / "absent", bundle.parents[1], tmp_path / "other"))
    (bundle.parent / "notes").mkdir()
    (bundle.parent / "1.1.0").touch()
    (bundle.parent / "latest").symlink_to(bundle)
    assert shelves.versions("news2") == ("1.0.0",)
    assert shelves.versions("qsofa") == ()
    assert shelves.versions("../shelf/news2") == ()
    assert "rules.toml" in shelves.read("news2", "1.0.0")
    assert list(shelves.read("news2", "2.0.0")) == ["a"]


@pytest.mark.parametrize(
    ("name", "version"), [("news2", "3.0.0"), ("..", "1.0.0"), ("news2", ".."), ("news2/..", "1.0.0")]
)
def test_what_is_not_there_is_not_found(bundle: Path, name: str, version: str) -> None:
    with pytest.raises(TrustError, match="BUNDLE_NOT_FOUND"):
        BundleDirectory(roots=(bundle.parents[1],)).read(name, version)


def link_to_a_file(bundle: Path) -> None:
    (bundle / "link").symlink_to(bundle / "rules.toml")


def link_to_a_folder(bundle: Path) -> None:
    (bundle / "link").symlink_to(bundle / "weights")


def dangling_link(bundle: Path) -> None:
    (bundle / "link").symlink_to("nowhere")


def pipe(bundle: Path) -> None:
    os.mkfifo(bundle / "link")


def listening_socket(bundle: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(bundle)  # the path of a socket is short
        try:
            listener.bind("link")
        finally:
            os.chdir(here)


@pytest.mark.parametrize("put", [link_to_a_file, link_to_a_folder, dangling_link, pipe, listening_socket])
def test_anything_but_plain_files_is_refused_by_name(bundle: Path, put: Callable[[Path], None]) -> None:
    put(bundle)
    error = refused(bundle)
    assert (error.rule, "'link'" in error.detail) == ("NOT_A_PLAIN_FILE", True)


def test_a_folder_nobody_could_sign_is_refused_and_one_without_signatures_is_not(bundle: Path) -> None:
    (bundle / "signatures").mkdir()
    assert len(read_directory(bundle)) == 3
    (bundle / "weights" / "empty").mkdir()
    error = refused(bundle)
    assert (error.rule, "'weights/empty/'" in error.detail) == ("EMPTY_DIRECTORY", True)


def test_reading_is_bounded_in_every_way(bundle: Path) -> None:
    for limits in (ReadLimits(files=2), ReadLimits(file_bytes=2_999_999), ReadLimits(total_bytes=3_000_004)):
        assert refused(bundle, limits).rule == "BUNDLE_TOO_LARGE"
    assert len(read_directory(bundle, limits=ReadLimits(files=4, file_bytes=3_000_000, total_bytes=3_000_005))) == 3
    deep = bundle / "/".join("abcdefgh")
    deep.mkdir(parents=True)
    assert refused(bundle).rule == "BUNDLE_TOO_LARGE"


def test_a_file_that_is_mostly_holes_is_not_read_into_memory(bundle: Path) -> None:
    with (bundle / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(bundle).rule == "BUNDLE_TOO_LARGE"


def test_a_file_that_grows_while_it_is_read_is_bounded_too(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = bundle / "rules.toml"
    read = os.read

    def read_and_grow(descriptor: int, count: int) -> bytes:
        with grown.open("ab") as file:
            file.write(b"more" * 10)
        return read(descriptor, count)

    monkeypatch.setattr(os, "read", read_and_grow)
    assert refused(bundle, ReadLimits(file_bytes=20, total_bytes=100)).rule == "BUNDLE_TOO_LARGE"


@pytest.mark.parametrize("swapped", ["link", "pipe", "gone", "folder"])
def test_a_file_swapped_after_it_was_looked_at_is_refused(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    target = bundle / "rules.toml"
    look = os.stat

    def look_then_swap(path: str, *, dir_fd: int, follow_symlinks: bool) -> os.stat_result:
        seen = look(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if path == "rules.toml":
            target.unlink()
            if swapped == "link":
                target.symlink_to("/etc/hostname")
            elif swapped == "pipe":
                os.mkfifo(target)
            elif swapped == "folder":
                target.mkdir()
        return seen

    monkeypatch.setattr(os, "stat", look_then_swap)
    expected = "BUNDLE_NOT_FOUND" if swapped == "gone" else "NOT_A_PLAIN_FILE"
    answer: list[TrustError] = []
    thread = threading.Thread(target=lambda: answer.append(refused(bundle)), daemon=True)
    thread.start()
    thread.join(timeout=10)  # opening a pipe must not wait for somebody to write to it
    assert [error.rule for error in answer] == [expected]


def test_what_the_system_refuses_is_told_without_a_traceback(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    error = refused(bundle)
    assert (error.rule, "Permission denied" in error.detail) == ("BUNDLE_UNREADABLE", True)


def test_a_missing_folder_and_a_file_in_its_place_are_not_found(bundle: Path) -> None:
    assert refused(bundle / "absent").rule == "BUNDLE_NOT_FOUND"
    assert refused(bundle / "rules.toml").rule == "BUNDLE_NOT_FOUND"


def test_no_descriptor_is_left_open(bundle: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_directory(bundle)
    (bundle / "weights" / "link").symlink_to("x")
    refused(bundle)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
