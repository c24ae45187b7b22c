"""What is generated is what its source says, and what is locked is what was asked for."""

import tomllib

import stepdown
from scripts import locks, stubs
from tests.architecture.source_tree import ROOT


def test_the_generated_stubs_are_what_the_wire_contract_says() -> None:
    assert stubs.faults() == []


def test_every_lock_was_resolved_from_the_present_requirements_and_holds_only_names_and_digests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert [fault for lock in locks.LOCKS for fault in locks.faults(lock, project)] == []


def test_each_runtime_lock_holds_exactly_one_onnx_runtime() -> None:
    held = {
        name: [
            line.split("==")[0]
            for line in (ROOT / f"requirements/{name}.lock").read_text().splitlines()
            if line.startswith("onnxruntime")
        ]
        for name in ("cpu", "cuda", "migraphx", "dev")
    }
    assert held == {
        "cpu": ["onnxruntime"],
        "cuda": ["onnxruntime-gpu"],
        "migraphx": ["onnxruntime-migraphx"],
        "dev": [],
    }


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]
    assert stepdown.__version__.count(".") == 2
