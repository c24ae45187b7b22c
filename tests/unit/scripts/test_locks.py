from pathlib import Path
from typing import Any

import pytest

from scripts import locks

PROJECT: dict[str, Any] = {
    "project": {
        "requires-python": ">=3.11",
        "dependencies": ["numpy>=2"],
        "optional-dependencies": {"cpu": ["onnxruntime==1.32.0"], "cuda": ["onnxruntime-gpu==1.31.1"]},
    },
    "dependency-groups": {"dev": ["pytest>=9"]},
}
LOCK = locks.Lock(name="some", runtime=True, extras=("cpu",))
ENTRY = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:" + "a" * 64 + "\n"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "requirements").mkdir()
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    return tmp_path


def write(body: str, *, project: dict[str, Any] = PROJECT) -> None:
    LOCK.path.write_text(f"# resolved from sha256:{locks.digest(LOCK, project)}\n{body}")


def test_a_lock_answers_for_its_extras_and_for_no_others() -> None:
    assert locks.requirements(LOCK, PROJECT) == ["numpy>=2", "onnxruntime==1.32.0"]


def test_a_fresh_lock_has_no_fault() -> None:
    write(ENTRY)
    assert locks.faults(LOCK, PROJECT) == []


def test_a_changed_requirement_makes_the_lock_stale_and_one_of_another_lock_does_not() -> None:
    write(ENTRY)
    moved = {**PROJECT, "project": {**PROJECT["project"], "dependencies": ["numpy>=3"]}}
    elsewhere = {**PROJECT, "dependency-groups": {"dev": ["pytest>=10"]}}
    assert "pyproject.toml has changed" in locks.faults(LOCK, moved)[0]
    assert locks.faults(LOCK, elsewhere) == []


def test_a_missing_lock_is_named() -> None:
    assert locks.faults(LOCK, PROJECT) == ["requirements/some.lock: missing: run `make lock`"]


@pytest.mark.parametrize(
    "line",
    ["--index-url https://mirror.example/simple", "numpy>=2", "numpy @ https://mirror.example/numpy.whl", "-e ."],
)
def test_anything_but_a_pinned_name_and_a_digest_is_a_fault(line: str) -> None:
    write(f"{ENTRY}{line}\n")
    assert [fault.split(": ")[0] for fault in locks.faults(LOCK, PROJECT)] == ["requirements/some.lock:4"]
