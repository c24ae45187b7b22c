import os
from pathlib import Path

import pytest

from stepdown.worker.processors import allowed_cores, allowed_processors, processor_model


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


@pytest.mark.parametrize(
    ("quota", "processors"),
    [("200000 100000", 2), ("299000 100000", 3), ("250000 100000", 2), ("150000 100000", 1), ("10000 100000", 1)],
)
def test_a_quota_is_rounded_down_so_that_no_thread_stands_still_and_never_to_none(
    tmp_path: Path, quota: str, processors: int
) -> None:
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


def test_nested_limits_of_version_one_count_too(tmp_path: Path) -> None:
    files = {
        f"sys/fs/cgroup/cpu{group}/cpu.cfs_{name}_us": value
        for group, quota in (("/pod", "300000"), ("/pod/app", "900000"))
        for name, value in (("quota", quota), ("period", "100000"))
    }
    assert allowed_processors(root=machine(tmp_path, cgroup="1:cpu:/pod/app\n", **files), affinity=64) == 3


def test_with_both_versions_at_once_the_smaller_limit_counts(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/cpu/app/cpu.cfs_quota_us": "600000",
        "sys/fs/cgroup/cpu/app/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/unified/app/cpu.max": "400000 100000",
    }
    assert allowed_processors(root=machine(tmp_path, cgroup="1:cpu:/app\n0::/app\n", **files), affinity=64) == 4


def test_cores_of_one_physical_core_stand_side_by_side(tmp_path: Path) -> None:
    siblings = {0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"}
    files = {f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list": text for core, text in siblings.items()}
    root = machine(tmp_path, cgroup="", **files)
    assert allowed_cores(root=root, affinity=frozenset(range(8))) == (0, 4, 1, 5, 2, 6, 3, 7)
    assert allowed_cores(root=root, affinity=frozenset({7, 2, 5})) == (5, 2, 7)


def test_cores_without_a_known_topology_stand_in_order(tmp_path: Path) -> None:
    files = {"sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "rubbish"}
    assert allowed_cores(root=machine(tmp_path, cgroup="", **files), affinity=frozenset({2, 0, 1})) == (0, 1, 2)
    assert set(allowed_cores()) == os.sched_getaffinity(0)


@pytest.mark.parametrize("text", ["", "rubbish", "a b", "1", "100000 0"])
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
