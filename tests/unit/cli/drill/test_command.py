"""`stepdown drill list`, and what `drill run` refuses before it calls anyone."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepdown.cli.drill.command import drill
from stepdown.cli.state import READY_FILE
from stepdown.domain.drills import InjectableFault


@pytest.fixture(autouse=True)
def _no_demo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("ADDRESS", "CA", "CERT", "KEY", "OPERATOR_CERT", "OPERATOR_KEY"):
        monkeypatch.delenv(f"STEPDOWN_{name}", raising=False)


def run(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(drill, list(arguments), env={"COLUMNS": "200"})
    return ended.exit_code, ended.output


def test_every_drill_is_listed_with_its_objectives() -> None:
    code, output = run("list")
    assert code == 0
    assert "worker-killed" in output
    assert "detected_ms 20" in output


def test_the_list_can_be_read_by_a_program() -> None:
    code, output = run("list", "--json")
    assert code == 0
    assert {each["fault"] for each in json.loads(output).values()} == {str(fault) for fault in InjectableFault}


def test_a_file_of_drills_that_is_wrong_is_refused_by_key(tmp_path: Path) -> None:
    file = tmp_path / "drills.toml"
    file.write_text("[load]\nspeed = 3\n")
    code, output = run("list", "--objectives", str(file))
    assert code == 2
    assert "load.speed" in output


def test_without_a_server_a_drill_is_refused() -> None:
    code, output = run("run", "worker-killed")
    assert code == 2
    assert "no demo is running" in output


def test_without_an_operator_a_drill_is_refused(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("ca", "cert", "key")}
    for file in files.values():
        file.write_text("pem")
    target = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    code, output = run("run", "worker-killed", "--address", "127.0.0.1:1", *target)
    assert code == 2
    assert "needs an operator" in output


def test_the_operator_of_a_demo_that_runs_here_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "stepdown" / "demo"
    folder.mkdir(parents=True)
    for name in ("ca", "cert", "key"):
        (folder / name).write_text("pem")
    ready = {
        "pid": os.getpid(),
        "grpc": "127.0.0.1:1",
        "ca": str(folder / "ca"),
        "client_cert": str(folder / "cert"),
        "client_key": str(folder / "key"),
        "operator_cert": str(folder / "cert"),
        "operator_key": str(folder / "key"),
    }
    (folder / READY_FILE).write_text(json.dumps(ready))
    code, output = run("run", "earthquake")
    assert code == 2
    assert "no drill earthquake; there are: worker-killed" in output
