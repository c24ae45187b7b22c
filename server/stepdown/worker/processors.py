"""Which processors this process may really use, and for how much of their time: affinity, cpuset, CPU quota.

ONNX Runtime sizes its threads from the host; in a container with a quota that means throttling, or a crash when a core
is not in the cpuset. Refuses to change anything: it only reads.
"""

import os
from contextlib import suppress
from math import floor
from pathlib import Path

from stepdown.worker.control_groups import limits, read_number

# A quota a little below a whole number is meant as that number.
_NEARLY = 0.05


def allowed_processors(*, root: Path = Path("/"), affinity: int | None = None) -> int:
    """Processors worth of time this process may use, at least 1: the smaller of affinity and every quota above it.

    A quota of 2.5 counts as 2: three busy threads would use it up before its period is over, and then all of them
    would stand still for the rest of it, in the middle of somebody's answer.

    Args:
        root: where `/proc` and `/sys` are found.
        affinity: processors in the affinity mask (cpuset included); None asks the kernel.
    """
    allowed = len(os.sched_getaffinity(0)) if affinity is None else affinity
    quotas = limits("cpu", unified=_unified_quota, legacy=_legacy_quota, root=root)
    return max(1, min([allowed, *(floor(quota + _NEARLY) for quota in quotas)]))


def allowed_cores(*, root: Path = Path("/"), affinity: frozenset[int] | None = None) -> tuple[int, ...]:
    """The processors of the affinity mask (cpuset included), those that share a physical core side by side."""
    allowed = frozenset(os.sched_getaffinity(0)) if affinity is None else affinity
    return tuple(sorted(allowed, key=lambda core: (_first_sibling(root, core), core)))


def processor_model(*, root: Path = Path("/")) -> str:
    """The processor's own name, or its architecture where the kernel does not say."""
    with suppress(OSError):
        for line in (root / "proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return os.uname().machine


def _first_sibling(root: Path, core: int) -> int:
    """The lowest number among the threads of a physical core: `thread_siblings_list` says "1,33" or "2-3"."""
    file = root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="utf-8").replace("-", ",").split(",")[0])
    return core


def _unified_quota(group: Path) -> float | None:
    """`cpu.max` of control groups version 2: "max 100000" or "<quota> <period>"."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return None if quota == "max" else int(quota) / int(period)
    return None


def _legacy_quota(group: Path) -> float | None:
    """`cpu.cfs_quota_us` over `cpu.cfs_period_us` of version 1; -1 is no quota."""
    quota, period = read_number(group / "cpu.cfs_quota_us"), read_number(group / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None
