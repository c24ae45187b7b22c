import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.adapters import inventory as room
from stepdown.adapters.inventory import Inventory, InventoryError, take_inventory
from stepdown.domain.tiers import ExecutionProvider

CHILD = """
import json, os, sys, time
command, *rest = sys.argv[1:]
if command == "inventory":
    print(json.dumps({
        "onnxruntime": {"version": "9.9", "compiled_in": %(compiled_in)r},
        "cpu": {"name": "Example 9000", "processors": 2},
        "nvidia": {"driver": "", "devices": %(devices)r, "why_not": "the NVIDIA driver is not loaded"},
        "amd": {"devices": [], "why_not": "no AMD device"},
    }))
elif rest[0] == "CPU":
    print(json.dumps({"usable": True, "device": "Example 9000 (1 thread)", "why_not": ""}))
else:
    %(act)s
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Child":
    return Child(tmp_path / "child.py", monkeypatch)


class Child:
    """A program in the place of `python -m stepdown.worker`."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        monkeypatch.setattr(room, "CHILD_PROGRAM", (sys.executable, str(path)))

    def acts(
        self, act: str, *, compiled_in: tuple[str, ...] = ("CUDA", "CPU"), devices: tuple[object, ...] = ()
    ) -> None:
        self._path.write_text(CHILD % {"act": act, "compiled_in": list(compiled_in), "devices": list(devices)})

    def writes(self, program: str) -> None:
        self._path.write_text(program)


def why_not(found: Inventory, provider: ExecutionProvider) -> str:
    verdict = next(verdict for verdict in found.providers if verdict.provider is provider)
    assert not verdict.usable
    return verdict.why_not


def test_this_machine_can_at_least_use_its_processor() -> None:
    found = take_inventory()
    cpu = next(verdict for verdict in found.providers if verdict.provider is ExecutionProvider.CPU)
    assert (cpu.compiled_in, cpu.usable, cpu.why_not) == (True, True, "")
    assert cpu.device
    assert found.processors >= 1
    assert {verdict.provider for verdict in found.providers} == set(ExecutionProvider) - {ExecutionProvider.RULES}


def test_a_provider_outside_the_build_says_which_lock_brings_it(child: Child) -> None:
    child.acts("pass", compiled_in=("CPU",))
    found = take_inventory()
    assert (
        why_not(found, ExecutionProvider.CUDA)
        == "not in this build of ONNX Runtime 9.9; make setup LOCK=cuda brings it"
    )
    assert "MIGraphX takes its place" in why_not(found, ExecutionProvider.ROCM)


def test_every_cause_that_is_known_is_given(child: Child) -> None:
    child.acts(
        "print('x with error: libcudnn.so.9: not found', file=sys.stderr);"
        " print(json.dumps({'usable': False, 'device': '', 'why_not': 'could not be opened'}))"
    )
    assert why_not(take_inventory(), ExecutionProvider.CUDA) == (
        "could not be opened; libcudnn.so.9: not found; the NVIDIA driver is not loaded"
    )


def test_a_driver_that_aborts_takes_only_the_child(child: Child) -> None:
    child.acts("print('GPU memory fault, aborting: error', file=sys.stderr, flush=True); os.abort()")
    assert "SIGABRT: GPU memory fault" in why_not(take_inventory(), ExecutionProvider.CUDA)


def test_a_driver_that_hangs_costs_its_time_limit_and_no_more(child: Child) -> None:
    child.acts("time.sleep(3600)")
    assert "no answer within 1 s" in why_not(take_inventory(timeout_s=1.0), ExecutionProvider.CUDA)


def test_devices_and_their_warnings_are_passed_on(child: Child) -> None:
    child.acts(
        "print(json.dumps({'usable': True, 'device': 'NVIDIA L4 (0)', 'why_not': ''}))",
        devices=({"name": "NVIDIA L4", "memory_bytes": 1 << 34, "warnings": ["the driver asks for reset"]},),
    )
    found = take_inventory()
    assert found.devices[0].warnings == ("the driver asks for reset",)
    assert [verdict.device for verdict in found.providers if verdict.usable] == [
        "NVIDIA L4 (0)",
        "Example 9000 (1 thread)",
    ]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('ImportError: two wheels in one folder')", "exit code 1: ImportError: two wheels"),
        ("print('not JSON')", "exit code 0"),
    ],
)
def test_without_a_list_there_is_no_inventory(child: Child, program: str, said: str) -> None:
    child.writes(program)
    with pytest.raises(InventoryError, match=said):
        take_inventory()


def test_a_child_that_sigkill_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(3600)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = child.kill
    monkeypatch.setattr(child, "kill", lambda: None)
    monkeypatch.setattr(room, "_KILLED_S", 0.05)
    room._abandon(child)  # noqa: SLF001
    assert child.returncode == -signal.SIGKILL
    assert child.stdout is not None
    assert child.stdout.closed
    child.returncode = None
    end()
    child.wait()
