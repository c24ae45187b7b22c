from pathlib import Path

import pytest

from stepdown.worker.memory import allowed_memory
from tests.unit.worker.test_processors import machine

GIBIBYTE = 1 << 30
INSTALLED = {"proc/meminfo": "MemTotal:       16777216 kB\nMemFree: 1 kB\n"}


def test_without_a_limit_it_is_what_is_installed(tmp_path: Path) -> None:
    assert allowed_memory(root=machine(tmp_path, cgroup="0::/\n", **INSTALLED)) == 16 * GIBIBYTE


@pytest.mark.parametrize("name", ["memory.max", "memory.high"])
def test_the_smallest_limit_on_the_way_to_the_root_counts(tmp_path: Path, name: str) -> None:
    files = {
        f"sys/fs/cgroup/pod/app/{name}": str(6 * GIBIBYTE),
        "sys/fs/cgroup/pod/memory.max": str(4 * GIBIBYTE),
        "sys/fs/cgroup/pod/memory.high": "max",
    }
    assert allowed_memory(root=machine(tmp_path, cgroup="0::/pod/app\n", **INSTALLED, **files)) == 4 * GIBIBYTE


def test_version_one_is_read_and_its_number_for_none_is_larger_than_any_machine(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory/app/memory.limit_in_bytes": str(2 * GIBIBYTE),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    }
    assert allowed_memory(root=machine(tmp_path, cgroup="4:memory:/app\n", **INSTALLED, **files)) == 2 * GIBIBYTE


@pytest.mark.parametrize("text", ["", "MemTotal:", "MemTotal: much kB", "MemFree: 3 kB"])
def test_what_nobody_says_is_unknown(tmp_path: Path, text: str) -> None:
    assert allowed_memory(root=machine(tmp_path, cgroup="", **{"proc/meminfo": text})) is None
    assert allowed_memory(root=tmp_path / "elsewhere") is None


def test_this_machine_says_what_it_has() -> None:
    allowed = allowed_memory()
    assert allowed is not None
    assert allowed > GIBIBYTE // 4
