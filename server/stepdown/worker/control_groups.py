"""What the control groups above a process allow it: every limit on the way from its own group up to the root.

Both hierarchies are read, version 1 and version 2, because a machine can have some controllers in each. Which of the
limits counts is the caller's to say; it is the smallest. Refuses to change a group, and to take what it cannot read for
a limit.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

ReadLimit: TypeAlias = Callable[[Path], float | None]
"""From the folder of one group to its limit, or None when it has none or cannot be read."""

_MOUNT = "sys/fs/cgroup"


def limits(controller: str, *, unified: ReadLimit, legacy: ReadLimit, root: Path = Path("/")) -> Iterator[float]:
    """Every limit of one controller (`cpu`, `memory`) that holds for this process.

    Args:
        controller: its name in `/proc/self/cgroup` of version 1.
        unified: how a group of version 2 is read.
        legacy: how a group of version 1 is read.
        root: where `/proc` and `/sys` are found.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            yield from _climb((root / _MOUNT, root / _MOUNT / "unified"), path, unified)
        elif controller in controllers.split(","):
            yield from _climb((root / _MOUNT / controllers, root / _MOUNT / controller), path, legacy)


def read_number(file: Path) -> int | None:
    """The whole number that a control file holds; None for `max`, for anything else, and for no such file."""
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="utf-8"))
    return None


def _climb(mounts: tuple[Path, ...], path: str, read: ReadLimit) -> Iterator[float]:
    for mount in mounts:
        folder = mount / path.strip("/")
        # In a container the path can be the host's: the group is then the mount itself.
        for group in (folder, *folder.parents) if folder.is_dir() else (mount,):
            if not group.is_relative_to(mount):
                break
            if (limit := read(group)) is not None:
                yield limit
