import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from stepdown.cli.state import READY_FILE, default_state_directory
from stepdown.cli.target import Target, operator_target_options, target_options
from stepdown.client import AddressError

FILES = ("ca", "client_cert", "client_key", "operator_cert", "operator_key")


@click.command()
@target_options
def show(*, target: Target) -> None:
    """What a client command is given."""
    if target.address == "nowhere":
        raise AddressError("'nowhere' is no address")
    held = target.credentials
    click.echo(json.dumps([target.address, held.ca.name, held.certificate.name, held.key.name, held.server_name]))


@click.command()
@operator_target_options
def operate(*, target: Target) -> None:
    """What a command of operators is given."""
    click.echo(f"{target.credentials.certificate.name} {target.credentials.key.name}")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a demo of this user would announce itself."""
    for name in ("ADDRESS", "CA", "CERT", "KEY", "SERVER_NAME"):
        monkeypatch.delenv(f"STEPDOWN_{name}", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = default_state_directory()
    folder.mkdir(parents=True)
    return folder


def announce(folder: Path, **changes: object) -> None:
    for name in FILES:
        (folder / name).write_text("PEM")
    ready = {"grpc": "127.0.0.1:8443", "pid": os.getpid(), **{name: str(folder / name) for name in FILES}, **changes}
    (folder / READY_FILE).write_text(json.dumps(ready))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(show, arguments)


def test_a_demo_that_runs_here_is_found(state: Path) -> None:
    announce(state)
    assert json.loads(run().output) == ["127.0.0.1:8443", "ca", "client_cert", "client_key", ""]


def test_an_operators_command_takes_the_demos_operator(state: Path) -> None:
    announce(state)
    assert CliRunner().invoke(operate).output == "operator_cert operator_key\n"


def test_options_win_over_the_environment_and_that_over_the_demo(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(state)
    for name in ("one.pem", "other.pem"):
        (state / name).write_text("PEM")
    monkeypatch.setenv("STEPDOWN_CA", str(state / "one.pem"))
    monkeypatch.setenv("STEPDOWN_CERT", str(state / "one.pem"))
    monkeypatch.setenv("STEPDOWN_SERVER_NAME", "stepdown.hospital.example")
    shown = run("--cert", str(state / "other.pem"), "--address", "10.0.0.1:8443")
    assert json.loads(shown.output) == [
        "10.0.0.1:8443",
        "one.pem",
        "other.pem",
        "client_key",
        "stepdown.hospital.example",
    ]


def test_without_a_demo_everything_must_be_named(state: Path) -> None:
    result = run("--address", "10.0.0.1:8443")
    assert result.exit_code == 2
    assert "no demo is running here, so --ca, --cert, --key must be given" in result.output
    assert "To start one: make run" in result.output
    (state / "a.pem").write_text("PEM")
    pem = str(state / "a.pem")
    assert run("--address", "10.0.0.1:8443", "--ca", pem, "--cert", pem, "--key", pem).exit_code == 0


def test_a_demo_that_has_ended_is_not_found(state: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    announce(state, pid=ended.pid)
    assert "no demo is running here" in run().output


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"grpc": "127.0.0.1:8443"}'])
def test_an_announcement_that_cannot_be_read_is_none(state: Path, text: str) -> None:
    (state / READY_FILE).write_text(text)
    assert "no demo is running here" in run().output


def test_a_file_that_the_announcement_names_and_that_is_gone_is_named(state: Path) -> None:
    announce(state)
    (state / "client_key").unlink()
    result = run()
    assert result.exit_code == 2
    assert "client_key cannot be read" in result.output


def test_an_address_that_is_none_is_a_usage_error(state: Path) -> None:
    announce(state)
    result = run("--address", "nowhere")
    assert result.exit_code == 2
    assert "Invalid value for --address: 'nowhere' is no address" in result.output


def test_a_file_option_must_name_a_file() -> None:
    result = run("--ca", "gone.pem")
    assert result.exit_code == 2
    assert "'gone.pem' does not exist" in result.output


def test_the_state_folder_is_the_users_where_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", lambda: Path("/somewhere"))
    assert default_state_directory() == Path("/somewhere/.local/state/stepdown/demo")
