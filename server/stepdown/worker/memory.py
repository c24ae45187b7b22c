"""How much memory this process and its children may really use: the machine's, or what its control groups allow.

Refuses to change anything: it only reads.
"""

from contextlib import suppress
from pathlib import Path

from stepdown.worker.control_groups import limits, read_number

_KIBIBYTE = 1024


def allowed_memory(*, root: Path = Path("/")) -> int | None:
    """Bytes: the smaller of what the machine has and every limit above this process. None: nobody says.

    Swap is left out: a model that swaps answers nobody in time.
    """
    found = [int(limit) for limit in limits("memory", unified=_unified_limit, legacy=_legacy_limit, root=root)]
    installed = _installed(root)
    return min([*found, *installed], default=None)


def _installed(root: Path) -> tuple[int, ...]:
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("MemTotal:"):
                return (int(line.split()[1]) * _KIBIBYTE,)
    return ()


def _unified_limit(group: Path) -> float | None:
    """The lower of `memory.max`, where the kernel kills, and `memory.high`, where it makes wait."""
    known = [limit for name in ("memory.max", "memory.high") if (limit := read_number(group / name))]
    return min(known, default=None)


def _legacy_limit(group: Path) -> float | None:
    return read_number(group / "memory.limit_in_bytes") or None
