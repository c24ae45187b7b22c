import os
from pathlib import Path

import pytest

from stepdown.worker.processors import allowed_processors, processor_model


def machine(root: Path, *, cgroup: str, **files: str) -> Path:
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def unified(root: Path, quota: str, *, group: str = "/pod/app", path: str = "sys/fs/cgroup") -> Path:
    return machine(root, cgroup=f"0::{group}\n", **{f"{path}{group}/cpu.max": quota})


def test_without_a_quota_affinity_decides(tmp_path: Path) -> None:
    assert allowed_processors(root=unified(tmp_path, "max 100000"), affinity=6) == 6


@pytest.mark.parametrize(("quota", "processors"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1)])
def test_a_quota_of_version_two_is_rounded_up_to_whole_processors(tmp_path: Path, quota: str, processors: int) -> None:
    assert allowed_processors(root=unified(tmp_path, quota), affinity=64) == processors


def test_a_quota_on_any_group_above_counts(tmp_path: Path) -> None:
    root = unified(tmp_path, "800000 100000")
    machine(root, cgroup="0::/pod/app\n", **{"sys/fs/cgroup/pod/cpu.max": "300000 100000"})
    assert allowed_processors(root=root, affinity=64) == 3


def test_affinity_smaller_than_the_quota_wins(tmp_path: Path) -> None:
    assert allowed_processors(root=unified(tmp_path, "800000 100000"), affinity=2) == 2


def test_version_one_is_read_too(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us": "400000",
        "sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000",
    }
    root = machine(tmp_path, cgroup="4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n", **files)
    assert allowed_processors(root=root, affinity=64) == 4


def test_a_version_one_group_without_a_quota_is_none(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}
    assert allowed_processors(root=machine(tmp_path, cgroup="1:cpu:/\n", **files), affinity=5) == 5


def test_in_a_container_whose_path_is_the_hosts_the_mount_itself_is_the_group(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="0::/host/pod\n", **{"sys/fs/cgroup/cpu.max": "200000 100000"})
    assert allowed_processors(root=root, affinity=64) == 2


@pytest.mark.parametrize("text", ["", "rubbish", "a b", "1"])
def test_a_quota_that_cannot_be_read_is_no_quota(tmp_path: Path, text: str) -> None:
    assert allowed_processors(root=unified(tmp_path, text), affinity=7) == 7


def test_without_control_groups_affinity_decides(tmp_path: Path) -> None:
    assert allowed_processors(root=tmp_path, affinity=3) == 3


def test_this_machine_allows_at_least_one_and_no_more_than_it_has() -> None:
    assert 1 <= allowed_processors() <= len(os.sched_getaffinity(0))


def test_the_processor_is_named_or_its_architecture_is(tmp_path: Path) -> None:
    assert processor_model(root=tmp_path) == os.uname().machine
    machine(
        tmp_path, cgroup="", **{"proc/cpuinfo": "processor\t: 0\nmodel name\t: Example 9000\nmodel name\t: Other\n"}
    )
    assert processor_model(root=tmp_path) == "Example 9000"
