import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import NoReturn, Self

import pytest
from click.testing import CliRunner, Result

from stepdown import settings, wiring
from stepdown.cli.serve import run, serve
from stepdown.domain.errors import ConfigurationError

Handler = Callable[[int, FrameType | None], None]


@dataclass(slots=True, kw_only=True)
class Played:
    """What a command did to a server that is only played, and the signals it listens to."""

    steps: list[object] = field(default_factory=list)
    handlers: dict[int, Handler] = field(default_factory=dict)
    traceless: list[bool] = field(default_factory=list)
    refusal: ConfigurationError | None = None
    unanswered: int = 0
    drain_grace_s: float = 15.0

    def __call__(self, configuration: object) -> Self:
        self.steps.append(configuration)
        return self

    def start(self) -> None:
        self.steps.append("start")
        if self.refusal is not None:
            raise self.refusal
        # Told to stop while it starts: it must still come up, say so, and drain.
        self.handlers[signal.SIGTERM](signal.SIGTERM, None)

    def addresses(self) -> dict[str, str]:
        return {"grpc": "127.0.0.1:1", "ops": "http://127.0.0.1:2"}

    def stop(self) -> int:
        self.steps.append("stop")
        return self.unanswered


class ExitedError(Exception):
    """The process would have ended here, at once."""


def exited(code: int) -> NoReturn:
    raise ExitedError(code)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    server = Played()
    monkeypatch.setattr(wiring, "Server", server)
    monkeypatch.setattr(settings, "load", lambda path: ("settings of", path))
    monkeypatch.setattr("stepdown.cli.serve.leave_no_trace", lambda: server.traceless.append(not server.steps))
    monkeypatch.setattr(signal, "signal", server.handlers.__setitem__)
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_DFL)
    monkeypatch.setattr(os, "_exit", exited)
    monkeypatch.setattr("stepdown.cli.serve.Timer", lambda *_: Thread())
    return server


def serve_file(path: str = "stepdown.toml") -> Result:
    return CliRunner().invoke(serve, ["--config", path])


def test_a_server_is_started_announced_and_drained_when_told_to_stop(played: Played) -> None:
    result = serve_file()
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"event": "ready", "grpc": "127.0.0.1:1", "ops": "http://127.0.0.1:2"}
    assert played.steps == [("settings of", Path("stepdown.toml")), "start", "stop"]


def test_it_can_leave_no_core_dump_before_it_reads_anything(played: Played) -> None:
    serve_file()
    assert played.traceless == [True]


def test_one_whose_grace_was_over_before_all_was_answered_says_so_by_its_exit_code(played: Played) -> None:
    played.unanswered = 2
    assert serve_file().exit_code == 3


def test_one_that_is_told_to_stop_before_it_serves_ends_at_once(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it waits for may lie on a disk that hangs."""

    def told_meanwhile(_path: Path) -> None:
        played.handlers[signal.SIGTERM](signal.SIGTERM, None)

    monkeypatch.setattr(settings, "load", told_meanwhile)
    ended = serve_file().exception
    assert isinstance(ended, ExitedError)
    assert ended.args == (0,)
    assert played.steps == []


def test_a_server_that_should_outlive_its_terminal_is_left_to_it(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        signal, "getsignal", lambda number: signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL
    )
    serve_file()
    assert played.handlers.keys() == {signal.SIGTERM, signal.SIGINT}


def test_interrupt_terminate_and_hang_up_all_drain_and_the_second_of_them_ends_at_once(played: Played) -> None:
    serve_file()
    assert played.handlers.keys() == {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    with pytest.raises(ExitedError, match="130"):
        played.handlers[signal.SIGINT](signal.SIGINT, None)


def test_whoever_runs_it_adds_to_the_ready_line_and_hears_of_it(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[dict[str, str]] = []
    run(Path("stepdown.toml"), extra={"ca": "ca.pem"}, when_ready=told.append)
    assert told == [json.loads(capsys.readouterr().out)]
    assert told[0] == {"event": "ready", **played.addresses(), "ca": "ca.pem"}


def test_every_problem_of_a_configuration_is_listed_and_nothing_is_announced(played: Played) -> None:
    played.refusal = ConfigurationError(("one problem", "another problem"))
    result = serve_file()
    assert isinstance(result.exception, ExitedError)
    assert result.exception.args == (2,)
    assert (result.stdout, result.stderr) == ("", "one problem\nanother problem\n")
    assert "stop" not in played.steps


def test_a_configuration_file_must_be_named() -> None:
    result = CliRunner().invoke(serve, [])
    assert result.exit_code == 2
    assert "Missing option '--config'" in result.output
