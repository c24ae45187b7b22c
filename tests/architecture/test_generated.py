"""What is generated is what its source says, and what is locked is what was asked for."""

import tomllib

import pytest

import stepdown
from scripts import locks, stubs
from tests.architecture.source_tree import ROOT

SERVING = ("cpu", "cuda", "migraphx")


def test_the_generated_stubs_are_what_the_wire_contract_says() -> None:
    assert stubs.faults() == []


def test_every_lock_was_resolved_from_the_present_requirements_and_holds_only_names_and_digests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert [fault for lock in locks.LOCKS for fault in locks.faults(lock, project)] == []


def locked(name: str) -> set[str]:
    """The names in one lock."""
    lines = (ROOT / "requirements" / f"{name}.lock").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line and line[0].isalnum()}


def test_each_runtime_lock_holds_exactly_one_onnx_runtime() -> None:
    held = {name: {found for found in locked(name) if found.startswith("onnxruntime")} for name in (*SERVING, "dev")}
    assert held == {
        "cpu": {"onnxruntime"},
        "cuda": {"onnxruntime-gpu"},
        "migraphx": {"onnxruntime-migraphx"},
        "dev": set(),
    }


@pytest.mark.parametrize("name", SERVING)
def test_no_lock_that_serves_knows_torch(name: str) -> None:
    assert locked(name) & {"torch", "onnx", "onnxscript", "scikit-learn"} == set()


@pytest.mark.parametrize("name", SERVING)
def test_no_lock_that_serves_holds_a_peer(name: str) -> None:
    assert locked(name) & {"model-signing", "pyopenssl", "sigstore", "tritonclient", "pykcs11"} == set()


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]
    assert stepdown.__version__.count(".") == 2
