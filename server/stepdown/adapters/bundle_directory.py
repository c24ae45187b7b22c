"""Bundles in a folder, `<root>/<name>/<version>/`, each file read exactly once into the bytes that get verified.

Walks by directory descriptors and never follows a link, so that nothing swapped underneath can lead it elsewhere, and
bounds what it reads. Refuses links, devices, sockets and pipes, and believes nothing it read: `trust` decides.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stepdown.domain.errors import TrustError
from stepdown.trust.names import MAXIMUM_DEPTH, SIGNATURE_DIRECTORY, is_bundle_name
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import is_version

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe that somebody put in a file's place would wait for a writer for ever.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """The most that is read of one bundle."""

    files: int = 1024
    file_bytes: int = 4 << 30
    total_bytes: int = 8 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDirectory:
    """Folders that hold bundles; a name is looked for in each, in order. Meets the port `BundleSource`."""

    roots: tuple[Path, ...]
    limits: ReadLimits = field(default_factory=ReadLimits)

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of the bundle `name` that lie in the first root that has any; none when there are none."""
        if not is_bundle_name(name):
            return ()
        return next((versions for root in self.roots if (versions := _versions_in(root / name))), ())

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        """Every file of the bundle, by POSIX path relative to it.

        Raises: TrustError BUNDLE_NOT_FOUND, or any that `read_directory` raises.
        """
        if not is_bundle_name(name) or not is_version(version):
            raise TrustError(rule=TrustRule.BUNDLE_NOT_FOUND, detail=f"{name!a} {version!a} cannot name a bundle")
        for root in self.roots:
            if version in _versions_in(root / name):
                return read_directory(root / name / version, limits=self.limits)
        searched = ", ".join(str(root) for root in self.roots)
        raise TrustError(rule=TrustRule.BUNDLE_NOT_FOUND, detail=f"no {name}/{version} in {searched}")


def read_directory(directory: Path, *, limits: ReadLimits | None = None) -> Mapping[str, bytes]:
    """Every file below `directory`, by POSIX path relative to it, each read once.

    Raises: TrustError BUNDLE_NOT_FOUND, BUNDLE_UNREADABLE, NOT_A_PLAIN_FILE, EMPTY_DIRECTORY or BUNDLE_TOO_LARGE.
    """
    reading = _Reading(limits=limits or ReadLimits())
    try:
        with _opened(directory, _OPEN_DIRECTORY & ~os.O_NOFOLLOW) as descriptor:
            reading.walk(descriptor, prefix="", depth=1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TrustError(rule=TrustRule.BUNDLE_NOT_FOUND, detail=f"{directory} is no folder, or vanished") from error
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link put in place of a file after it was looked at
            raise _not_plain(str(error.filename)) from error
        raise TrustError(rule=TrustRule.BUNDLE_UNREADABLE, detail=f"{directory}: {error.strerror}") from error
    return reading.files


def _versions_in(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(
                sorted(
                    entry.name for entry in entries if is_version(entry.name) and entry.is_dir(follow_symlinks=False)
                )
            )
    except OSError:
        return ()


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One walk over one bundle: what was read so far, and what may still be."""

    limits: ReadLimits
    files: dict[str, bytes] = field(default_factory=dict)
    total_bytes: int = 0

    def walk(self, directory: int, *, prefix: str, depth: int) -> None:
        """Read every entry of an open directory."""
        if depth > MAXIMUM_DEPTH:
            raise TrustError(
                rule=TrustRule.BUNDLE_TOO_LARGE, detail=f"{prefix!a} is more than {MAXIMUM_DEPTH} levels deep"
            )
        names = self._entries(directory, prefix)
        for name in names:
            self._read_entry(directory, name, path=prefix + name, depth=depth)

    def _entries(self, directory: int, prefix: str) -> list[str]:
        names: list[str] = []
        with os.scandir(directory) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) + len(self.files) > self.limits.files:
                    raise TrustError(
                        rule=TrustRule.BUNDLE_TOO_LARGE, detail=f"more than {self.limits.files} files are not read"
                    )
        if not names and prefix not in {"", SIGNATURE_DIRECTORY + "/"}:
            raise TrustError(rule=TrustRule.EMPTY_DIRECTORY, detail=f"{prefix!a} is empty, and nobody could sign it")
        return sorted(names)

    def _read_entry(self, directory: int, name: str, *, path: str, depth: int) -> None:
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            with _opened(name, _OPEN_DIRECTORY, directory=directory) as below:
                self.walk(below, prefix=path + "/", depth=depth + 1)
        elif stat.S_ISREG(mode):
            with _opened(name, _OPEN_FILE, directory=directory) as file:
                self.files[path] = self._read_file(file, path)
        else:
            raise _not_plain(path)

    def _read_file(self, file: int, path: str) -> bytes:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):  # swapped between the two looks
            raise _not_plain(path)
        allowed = min(self.limits.file_bytes, self.limits.total_bytes - self.total_bytes)
        content = b"".join(_chunks(file, allowed + 1)) if status.st_size <= allowed else None
        if content is None or len(content) > allowed:
            raise TrustError(
                rule=TrustRule.BUNDLE_TOO_LARGE,
                detail=f"{path!a} goes beyond {self.limits.file_bytes} bytes, or the bundle {self.limits.total_bytes}",
            )
        self.total_bytes += len(content)
        return content


def _chunks(file: int, limit: int) -> Iterator[bytes]:
    """The file's bytes, no more than `limit`: a file can grow while it is read."""
    while limit > 0 and (chunk := os.read(file, min(_CHUNK_BYTES, limit))):
        limit -= len(chunk)
        yield chunk


@contextmanager
def _opened(path: Path | str, flags: int, *, directory: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _not_plain(path: str) -> TrustError:
    return TrustError(rule=TrustRule.NOT_A_PLAIN_FILE, detail=f"{path!a} is a link, device, pipe or socket")
