"""What a process and its children hold, read from `/proc`: memory, descriptors, threads, processes."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One process now. `pss_bytes` None: the kernel does not tell this user (a process that leaves no trace)."""

    rss_bytes: int
    pss_bytes: int | None
    descriptors: int
    memory_files: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The server and its workers at one moment. `zombies` are children that ended and that nobody has reaped."""

    at_s: float
    server: Holdings
    workers: tuple[Holdings, ...]
    zombies: int

    @property
    def largest_worker_rss_bytes(self) -> int | None:
        """None while there is none: how many there are is another question."""
        return max((worker.rss_bytes for worker in self.workers), default=None)

    @property
    def workers_rss_bytes(self) -> int:
        """All workers together."""
        return sum(worker.rss_bytes for worker in self.workers)


def sample(pid: int, *, at_s: float) -> Sample:
    """Look at a server. Raises: OSError when it is gone."""
    children = tuple(_children(pid))
    living = [held for child in children if not _is_zombie(child) for held in _holdings_of_living(child)]
    return Sample(
        at_s=at_s,
        server=holdings(pid),
        workers=tuple(living),
        zombies=sum(map(_is_zombie, children)),
    )


def holdings(pid: int) -> Holdings:
    """What one process holds. Raises: OSError when it is gone."""
    process = Path("/proc") / str(pid)
    resident_pages = int((process / "statm").read_text().split()[1])
    links = tuple(_links(process / "fd"))
    return Holdings(
        rss_bytes=resident_pages * _PAGE_BYTES,
        pss_bytes=_pss_bytes(process),
        descriptors=len(links),
        memory_files=sum(link.startswith("/memfd:stepdown") for link in links) + _mapped_memory_files(process),
        threads=len(tuple((process / "task").iterdir())),
    )


def _holdings_of_living(pid: int) -> Iterable[Holdings]:
    with suppress(OSError):
        yield holdings(pid)


def _links(folder: Path) -> Iterable[str]:
    for entry in folder.iterdir():
        with suppress(OSError):
            yield str(entry.readlink())


def _mapped_memory_files(process: Path) -> int:
    """Memory that lives on after its descriptor was closed, because it is still mapped."""
    return sum("/memfd:stepdown" in line for line in (process / "maps").read_text().splitlines())


def _pss_bytes(process: Path) -> int | None:
    with suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIBIBYTE
    return None


def _children(pid: int) -> Iterable[int]:
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        with suppress(OSError):
            yield from map(int, (task / "children").read_text().split())


def _is_zombie(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
