"""Control groups of a test's own, of either version, where the machine lets a process have one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.workers import soon

ROOT = Path("/sys/fs/cgroup")
NEEDED = "needs a control group of its own"
"""How the reason of a skip begins: a container's runtime decides over it, and no package brings it."""


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[Path]:
    """Whoever is in it may have so much memory in all, and nothing of it on disk."""
    with _group(
        "memory",
        first={"memory.limit_in_bytes": str(limit_bytes)},
        second={"memory.max": str(limit_bytes), "memory.swap.max": "0"},
    ) as folder:
        yield folder


@contextmanager
def cpu_group(*, quota_us: int, period_us: int) -> Iterator[Path]:
    """Whoever is in it may have so much of each period on processors, all together."""
    with _group(
        "cpu",
        first={"cpu.cfs_period_us": str(period_us), "cpu.cfs_quota_us": str(quota_us)},
        second={"cpu.max": f"{quota_us} {period_us}"},
    ) as folder:
        yield folder


@contextmanager
def _group(controller: str, *, first: dict[str, str], second: dict[str, str]) -> Iterator[Path]:
    """`first`, `second`: the limits as the two versions of control groups name them."""
    is_second = (ROOT / "cgroup.controllers").exists()
    folder = (ROOT if is_second else ROOT / controller) / f"stepdown-test-{uuid4().hex[:8]}"
    try:
        if is_second:
            (ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
        folder.mkdir()
        for name, value in (second if is_second else first).items():
            # The kernel may be built without swap; whoever has none cannot swap.
            if name != "memory.swap.max" or (folder / name).exists():
                (folder / name).write_text(value)
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip(f"{NEEDED} ({controller}): {error}")
    try:
        yield folder
    finally:
        assert soon(lambda: not (folder / "cgroup.procs").read_text().split())
        folder.rmdir()
