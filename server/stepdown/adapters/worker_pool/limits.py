"""What the kernel is told of a worker from outside, before it has done anything: how much memory, and who dies first.

The limit is on data (RLIMIT_DATA: heap and private writable mappings), not on address space: a driver reserves far more
addresses than it ever fills. A worker that meets it is refused memory, which it can say; nobody is killed for it. What
it does not count are shared memory, which is the mailbox's and bounded, and what a driver pins or keeps on its device.
Refuses to fail a start because the kernel does not let it: what could not be set is said.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

from stepdown.worker.control_groups import read_number

# Added to the server's own: the accelerator's worker goes first, since another tier stands below it, then the CPU's.
ACCELERATOR_OOM_SCORE = 600
CPU_OOM_SCORE = 300
_HIGHEST_OOM_SCORE = 1000


def confine(pid: int, *, memory_bytes: int, oom_score: int, root: Path = Path("/")) -> Iterator[str]:
    """Set both for a child that was just started, and yield in words what the kernel refused.

    Args:
        pid: the child.
        memory_bytes: the most data it may hold; 0 sets no limit.
        oom_score: how much sooner than the server the kernel shall choose it when memory runs out.
        root: where `/proc` is found.
    """
    if memory_bytes:
        try:
            resource.prlimit(pid, resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        except (OSError, ValueError) as error:
            yield f"no memory limit could be set: {error}"
    own = read_number(root / "proc/self/oom_score_adj") or 0
    try:
        (root / f"proc/{pid}/oom_score_adj").write_text(str(min(_HIGHEST_OOM_SCORE, own + oom_score)), "utf-8")
    except OSError as error:
        yield f"no order of death could be set: {error}"


def oom_kills(*, root: Path = Path("/")) -> int:
    """How many processes of this machine the kernel has killed for want of memory since it was started."""
    try:
        lines = (root / "proc/vmstat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    counted = (line.removeprefix("oom_kill ") for line in lines if line.startswith("oom_kill "))
    return int(next(counted, "0"))
