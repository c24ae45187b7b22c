import sys
from pathlib import Path

import pytest

from scripts import environment


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "cpu.lock"
    path.write_text("numpy==2.4.6\n")
    return path


@pytest.fixture
def finished(tmp_path: Path, lock: Path) -> Path:
    """An environment with this very Python, and the stamp of an installation that ended."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / environment.STAMP).write_text("\n".join(environment.contents([lock], project=False)))
    return folder


def test_a_finished_installation_is_left_alone(finished: Path, lock: Path) -> None:
    assert environment.holds(finished, environment.contents([lock], project=False))
    environment.main([str(finished), str(lock)])


def test_one_that_has_more_than_is_wanted_is_left_alone(finished: Path, lock: Path) -> None:
    stamp = finished / environment.STAMP
    stamp.write_text(stamp.read_text() + "\ndev.lock 0123\n")
    assert environment.holds(finished, environment.contents([lock], project=False))


def test_an_interrupted_one_is_not(finished: Path, lock: Path) -> None:
    (finished / environment.STAMP).unlink()
    assert not environment.holds(finished, environment.contents([lock], project=False))


def test_a_changed_lock_is_noticed_whatever_its_date(finished: Path, lock: Path) -> None:
    lock.write_text("numpy==2.5.0\n")
    assert not environment.holds(finished, environment.contents([lock], project=False))


def test_an_environment_whose_python_has_gone_is_not_trusted(finished: Path, lock: Path) -> None:
    (finished / "bin" / "python").unlink()
    assert not environment.holds(finished, environment.contents([lock], project=False))


def test_a_failed_step_leaves_no_stamp(finished: Path, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        sys.exit("no index can be reached")

    lock.write_text("numpy==2.5.0\n")
    monkeypatch.setattr(environment, "install", fail)
    with pytest.raises(SystemExit, match="no index"):
        environment.main([str(finished), str(lock)])
    assert not (finished / environment.STAMP).exists()


@pytest.mark.parametrize(
    ("script", "usable"),
    [("echo uv 99.1.0", True), ("echo uv 0.1.2", False), ("echo not a version", False), ("exit 127", False)],
)
def test_a_machine_s_own_uv_is_used_only_if_it_works_and_is_recent(
    script: str, usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert environment.usable_uv() == (uv if usable else None)


@pytest.mark.parametrize("interrupted", [False, True])
def test_nothing_in_an_unfinished_environment_is_believed(
    interrupted: bool, finished: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(environment, "install", lambda *_, anew, **__: made.append(anew))
    lock.write_text("numpy==2.5.0\n")
    if interrupted:
        (finished / environment.STAMP).unlink()
    environment.main([str(finished), str(lock)])
    assert made == [interrupted]


@pytest.mark.parametrize(("version", "expected"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((4, 0), False)])
def test_the_range_of_pythons_is_the_one_the_package_states(version: tuple[int, int], expected: bool) -> None:
    assert environment.supported(version) == expected
