"""What a worker gives up, shown on processes of its kind: none of it could be taken back in this one."""

import subprocess
import sys

import pytest


def said(program: str) -> str:
    """What a program prints that has the confinement at hand."""
    lines = (
        "import os, resource, signal, sys, time\nfrom pathlib import Path\nfrom stepdown.worker import confinement\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", lines + program], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout.strip()


def test_no_core_dump_no_debugger_and_no_new_privilege() -> None:
    program = """
confinement.leave_no_trace()
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
import ctypes
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), status["NoNewPrivs"])
"""
    assert said(program) == "(0, 0) 0 1"


def test_its_memory_stays_out_of_swap_where_that_is_permitted_and_it_says_where_not() -> None:
    program = """
allowed = confinement.stay_out_of_swap()
locked = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck"))
print(allowed == (int(locked.split()[1]) > 0))
"""
    assert said(program) == "True"
    refused = """
def refuse(*_):
    raise ValueError
resource.setrlimit = refuse
print(confinement.stay_out_of_swap())
"""
    assert said(refused) == "False"


def test_it_dies_with_the_thread_that_started_it() -> None:
    program = """
reading, writing = os.pipe()
between = os.fork()
if between == 0:
    child = os.fork()
    if child == 0:
        confinement.die_with(os.getppid())
        os.write(writing, str(os.getpid()).encode())
        time.sleep(60)
    time.sleep(60)
orphan = int(os.read(reading, 20))
os.kill(between, signal.SIGKILL)
os.waitpid(between, 0)
for _ in range(500):
    if not Path(f"/proc/{orphan}").exists() or "Z" in Path(f"/proc/{orphan}/stat").read_text().split():
        print("gone")
        break
    time.sleep(0.01)
"""
    assert said(program) == "gone"


def test_a_worker_whose_parent_died_before_it_could_be_tied_to_it_ends_at_once() -> None:
    program = """
try:
    confinement.die_with(os.getppid() + 1)
except confinement.OrphanedError as error:
    print("orphaned:", isinstance(error, OSError))
"""
    assert said(program) == "orphaned: True"


@pytest.mark.parametrize("cores", ["()", "(min(os.sched_getaffinity(0)),)"])
def test_it_steps_back_to_its_cores_and_yields_to_the_server(cores: str) -> None:
    program = f"""
from stepdown.worker.processors import allowed_processors
cores, before = {cores}, len(os.sched_getaffinity(0))
confinement.step_back(cores=cores, niceness=3)
expected = len(cores) or before
print(len(os.sched_getaffinity(0)) == expected, os.nice(0) >= 3, allowed_processors() <= expected)
"""
    assert said(program) == "True True True"


def test_a_child_started_under_taskset_counts_the_cores_it_was_left() -> None:
    program = """
import subprocess
child = "from stepdown.worker.processors import allowed_processors; print(allowed_processors())"
one = min(os.sched_getaffinity(0))
confined = lambda: os.sched_setaffinity(0, {one})
print(subprocess.run([sys.executable, "-c", child], preexec_fn=confined, capture_output=True, text=True).stdout.strip())
"""
    assert said(program) == "1"
