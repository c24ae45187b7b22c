import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool.limits import confine, oom_kills

MEBIBYTE = 1 << 20


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def score(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_a_child_is_limited_in_its_data_and_dies_before_the_server(child: "subprocess.Popen[bytes]") -> None:
    assert list(confine(child.pid, memory_bytes=700 * MEBIBYTE, oom_score=300)) == []
    assert resource.prlimit(child.pid, resource.RLIMIT_DATA) == (700 * MEBIBYTE, 700 * MEBIBYTE)
    assert score(child.pid) == min(1000, score("self") + 300)


def test_without_a_limit_the_childs_data_is_left_as_it_is(child: "subprocess.Popen[bytes]") -> None:
    before = resource.prlimit(child.pid, resource.RLIMIT_DATA)
    assert list(confine(child.pid, memory_bytes=0, oom_score=0)) == []
    assert resource.prlimit(child.pid, resource.RLIMIT_DATA) == before


def test_what_the_kernel_refuses_is_said(child: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    child.kill()
    child.wait()
    limit, order = confine(child.pid, memory_bytes=MEBIBYTE, oom_score=300, root=tmp_path)
    assert limit.startswith("no memory limit could be set")
    assert order.startswith("no order of death could be set")


def test_the_order_of_death_is_relative_to_the_server_and_bounded(
    child: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    for name, text in (("self", "900\n"), (str(child.pid), "")):
        folder = tmp_path / "proc" / name
        folder.mkdir(parents=True)
        (folder / "oom_score_adj").write_text(text)
    assert list(confine(child.pid, memory_bytes=0, oom_score=300, root=tmp_path)) == []
    assert (tmp_path / "proc" / str(child.pid) / "oom_score_adj").read_text() == "1000"


@pytest.mark.parametrize(("text", "kills"), [("pgfault 3\noom_kill 12\n", 12), ("pgfault 3\n", 0)])
def test_the_kernels_victims_are_counted(tmp_path: Path, text: str, kills: int) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/vmstat").write_text(text)
    assert oom_kills(root=tmp_path) == kills
    assert oom_kills(root=tmp_path / "elsewhere") == 0
