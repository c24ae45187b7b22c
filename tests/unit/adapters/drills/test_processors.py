"""Half of the processors taken from this process and a child of it, and given back as they were."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.adapters.drills.processors import HalvedProcessors
from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault

HALVED = FaultInjection(fault=InjectableFault.CPU_HALVED, duration_s=5.0)
ALL = frozenset(os.sched_getaffinity(0))


@pytest.fixture
def child() -> Iterator[int]:
    program = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); print(); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.stdout.close()
    process.wait()


def affinities(process: int) -> set[frozenset[int]]:
    return {frozenset(os.sched_getaffinity(int(thread.name))) for thread in Path(f"/proc/{process}/task").iterdir()}


@pytest.mark.skipif(len(ALL) < 2, reason="one processor cannot be halved")
def test_every_thread_is_confined_and_gets_back_what_it_had(child: int) -> None:
    os.sched_setaffinity(child, {max(ALL)})  # its main thread alone has a wish of its own
    halved = HalvedProcessors(lambda: (child,))
    halved.begin(HALVED)
    try:
        left = frozenset(sorted(ALL)[: len(ALL) // 2])
        assert affinities(child) == affinities(os.getpid()) == {left}
        born = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    finally:
        halved.end(HALVED)
    assert affinities(os.getpid()) == {ALL}
    assert affinities(child) == {ALL, frozenset({max(ALL)})}
    assert affinities(born.pid) == {left}  # it is none of the workers
    born.communicate(b"\n")


@pytest.mark.skipif(len(ALL) < 2, reason="one processor cannot be halved")
def test_a_worker_born_meanwhile_gets_all_of_them_afterwards_and_one_that_ended_is_no_matter(child: int) -> None:
    workers: list[int] = [2**22 + 1]  # above the kernel's largest process id
    halved = HalvedProcessors(lambda: tuple(workers))
    halved.begin(HALVED)
    os.sched_setaffinity(child, sorted(ALL)[: len(ALL) // 2])
    workers.append(child)
    halved.end(HALVED)
    assert affinities(child) == {ALL}


def test_one_processor_cannot_be_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0})
    with pytest.raises(DrillRefusedError, match="one processor"):
        HalvedProcessors(tuple).begin(HALVED)
