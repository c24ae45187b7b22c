"""How many processors this process may really use: affinity, cpuset and CPU quota, never the host's count.

ONNX Runtime sizes its threads from the host; in a container with a quota that means throttling, or a crash when a core
is not in the cpuset. Refuses to change anything: it only reads.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

_MOUNT = "sys/fs/cgroup"


def allowed_processors(*, root: Path = Path("/"), affinity: int | None = None) -> int:
    """Processors worth of time this process may use, at least 1: the smaller of affinity and every quota above it.

    Args:
        root: where `/proc` and `/sys` are found.
        affinity: processors in the affinity mask (cpuset included); None asks the kernel.
    """
    allowed = len(os.sched_getaffinity(0)) if affinity is None else affinity
    quotas = [ceil(quota) for quota in _quotas(root)]
    return max(1, min([allowed, *quotas]))


def processor_model(*, root: Path = Path("/")) -> str:
    """The processor's own name, or its architecture where the kernel does not say."""
    with suppress(OSError):
        for line in (root / "proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return os.uname().machine


def _quotas(root: Path) -> Iterator[float]:
    """Every CPU quota, in processors, on the way from this process's control group up to the root."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            yield from _climb((root / _MOUNT, root / _MOUNT / "unified"), path, _unified_quota)
        elif "cpu" in controllers.split(","):
            yield from _climb((root / _MOUNT / controllers, root / _MOUNT / "cpu"), path, _legacy_quota)


def _climb(mounts: tuple[Path, ...], path: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    for mount in mounts:
        folder = mount / path.strip("/")
        # In a container the path can be the host's: the group is then the mount itself.
        for group in (folder, *folder.parents) if folder.is_dir() else (mount,):
            if not group.is_relative_to(mount):
                break
            if (quota := read(group)) is not None:
                yield quota


def _unified_quota(group: Path) -> float | None:
    """`cpu.max` of control groups version 2: "max 100000" or "<quota> <period>"."""
    with suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return None if quota == "max" else int(quota) / int(period)
    return None


def _legacy_quota(group: Path) -> float | None:
    """`cpu.cfs_quota_us` over `cpu.cfs_period_us` of version 1; -1 is no quota."""
    with suppress(OSError, ValueError):
        quota = int((group / "cpu.cfs_quota_us").read_text(encoding="utf-8"))
        period = int((group / "cpu.cfs_period_us").read_text(encoding="utf-8"))
        return quota / period if quota > 0 else None
    return None
