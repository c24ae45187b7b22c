import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool import process as room
from stepdown.adapters.worker_pool.process import ProcessPlan, start_process, worker_environment
from stepdown.worker.mailbox import layout


def plan(program: tuple[str, ...], folder: Path) -> ProcessPlan:
    return ProcessPlan(
        program=program,
        working_directory=folder,
        environment={},
        order=b"{}",
        files={},
        layout=layout((), (), maximum_rows=1),
        label="a test",
    )


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_a_worker_inherits_paths_and_what_drivers_read_and_no_secret() -> None:
    server = {
        "PATH": "/bin",
        "LD_LIBRARY_PATH": "/cuda",
        "CUDA_VISIBLE_DEVICES": "1",
        "ROCR_VISIBLE_DEVICES": "0",
        "STEPDOWN_KEY": "secret",
        "PYTHONPATH": "/elsewhere",
        "PYTHONSTARTUP": "/x.py",
        "LD_PRELOAD": "/evil.so",
        "HTTPS_PROXY": "http://user:pass@host",
    }
    given = worker_environment(server, {"EXTRA": "1"})
    assert {"PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "EXTRA"} <= given.keys()
    assert not {"STEPDOWN_KEY", "PYTHONSTARTUP", "LD_PRELOAD", "HTTPS_PROXY"} & given.keys()
    assert (Path(given["PYTHONPATH"]) / "stepdown" / "worker").is_dir()
    assert given["OMP_NUM_THREADS"] == "1"


def test_a_program_that_is_not_there_leaves_nothing_behind(tmp_path: Path) -> None:
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        start_process(plan((str(tmp_path / "absent"),), tmp_path))
    assert descriptors() == before


def test_a_process_that_cannot_be_watched_is_not_left_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    spawned = room._spawned  # noqa: SLF001

    def remembered(*arguments: object, **named: object) -> subprocess.Popen[bytes]:
        started.append(spawned(*arguments, **named))  # type: ignore[arg-type]
        return started[-1]

    def refuse(_pid: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(room, "_spawned", remembered)
    monkeypatch.setattr(os, "pidfd_open", refuse)
    before = descriptors()
    with pytest.raises(OSError, match="Too many"):
        start_process(plan((sys.executable, "-c", "import time; time.sleep(3600)"), tmp_path))
    assert started[0].returncode == -9
    assert descriptors() == before


def test_everything_may_be_asked_of_a_process_that_is_gone(tmp_path: Path) -> None:
    before = descriptors()
    process = start_process(plan((sys.executable, "-c", "import sys; sys.exit(4)"), tmp_path))
    os.waitid(os.P_PIDFD, process.pidfd, os.WEXITED | os.WNOWAIT)
    assert process.ending() == "ended with exit code 4"
    process.kill()
    assert not process.ring(sequence=1, rows=1, slot=0)
    process.release()
    process.release()
    process.kill()
    assert not process.ring(sequence=1, rows=1, slot=0)
    assert process.read_errors() == b""
    del process
    assert descriptors() == before


def test_a_process_that_is_disowned_holds_nothing_of_ours(tmp_path: Path) -> None:
    before = descriptors()
    process = start_process(plan((sys.executable, "-c", "import time; time.sleep(3600)"), tmp_path))
    pid = process.pid
    process.kill()
    process.disown()
    del process
    assert descriptors() == before
    os.waitpid(pid, 0)


def test_a_doorbell_nobody_empties_is_never_waited_for(tmp_path: Path) -> None:
    process = start_process(plan((sys.executable, "-c", "import time; time.sleep(3600)"), tmp_path))
    rung = 0
    while process.ring(sequence=rung, rows=1, slot=0):
        rung += 1
    assert rung > 2
    process.kill()
    os.waitid(os.P_PIDFD, process.pidfd, os.WEXITED | os.WNOWAIT)
    assert process.ending() == "ended by SIGKILL"
    process.release()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 126, 127, 128, 137, 255])
def test_an_end_by_its_own_hand_is_told_with_its_exit_code(code: int, tmp_path: Path) -> None:
    process = start_process(plan((sys.executable, "-S", "-c", f"import os; os._exit({code})"), tmp_path))
    process._child.wait()  # noqa: SLF001
    assert process.ending() == f"ended with exit code {code}"
    process.release()


@pytest.mark.parametrize(
    ("number", "name"), [(6, "SIGABRT"), (9, "SIGKILL"), (11, "SIGSEGV"), (7, "SIGBUS"), (4, "SIGILL"), (8, "SIGFPE")]
)
def test_an_end_by_a_signal_is_told_by_its_name(number: int, name: str, tmp_path: Path) -> None:
    process = start_process(plan((sys.executable, "-S", "-c", f"import os; os.kill(os.getpid(), {number})"), tmp_path))
    process._child.wait()  # noqa: SLF001
    assert process.ending() == f"ended by {name}"
    process.release()


def test_an_end_by_a_signal_that_has_no_name_is_told_by_its_number(tmp_path: Path) -> None:
    process = start_process(plan((sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 40)"), tmp_path))
    process._child.wait()  # noqa: SLF001
    assert process.ending() == "ended by signal 40"
    process.release()
