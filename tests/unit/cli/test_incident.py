import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from rich.console import Console

from stepdown.cli import incident as room
from stepdown.cli import ward
from stepdown.cli.incident import play_incident
from tests.fakes.chain import by_rules
from tests.unit.client.servers import credentials
from tests.unit.client.stay_text import row, written
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

KILL, STOP = signal.SIGKILL, signal.SIGSTOP


@pytest.fixture
def side() -> Iterator[GrpcSide]:
    with grpc_side() as serving:
        serving.chain.answer = by_rules
        yield serving


@pytest.fixture
def ready(side: GrpcSide, tmp_path: Path) -> dict[str, str]:
    """The ready line of a demo that is only played."""
    files = credentials(tmp_path)
    return {
        "grpc": side.listener.address,
        "ops": "http://127.0.0.1:0",
        "ca": str(files.ca),
        "client_cert": str(files.certificate),
        "client_key": str(files.key),
    }


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    (tmp_path / "stays").mkdir()
    written(tmp_path / "stays", *(row(ICULOS=hour + 1) for hour in range(4)))
    return tmp_path / "stays"


def status(capability: str = "FULL", **pids: int | None) -> dict[str, Any]:
    tiers = [
        {
            "name": name,
            "state": "SERVING",
            "reason": None,
            "worker_pid": pids.get(name),
            "provider": "CPU",
            "latency_ms": {"p50": 1.0},
        }
        for name in ("full", "distilled", "rules")
    ]
    return {"name": "sepsis-early-warning", "capability": capability, "tiers": tiers}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, ready: dict[str, str]) -> list[tuple[int, int]]:
    """Signals sent in an incident of a tenth of a second, to workers 11 (full) and 22 (distilled)."""
    signals: list[tuple[int, int]] = []

    @contextmanager
    def own_demo() -> Iterator[dict[str, str]]:
        yield ready

    monkeypatch.setattr(room, "_own_demo", own_demo)
    monkeypatch.setattr(room, "_status", lambda _operations: status(full=11, distilled=22))
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    monkeypatch.setattr(room, "_SCRIPT", ((0.0, "one", KILL, ("full",)), (0.0, "both", STOP, ("full", "distilled"))))
    monkeypatch.setattr(room, "_LENGTH_S", 0.1)
    monkeypatch.setattr(room, "_STATUS_PERIOD_S", 0.01)
    monkeypatch.setattr(room, "_CAPABLE_S", 0.05)
    monkeypatch.setattr(ward, "_PERIOD_S", 0.01)
    return signals


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_the_script_is_played_and_every_answer_counted(sent: list[tuple[int, int]], stays: Path) -> None:
    console = quiet()
    incident = play_incident(stays, console)
    assert sent == [(11, KILL), (11, STOP), (22, STOP)]
    assert incident.unharmed
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "0 missed" in shown
    assert "full capability is back" in shown


def test_a_missed_answer_is_harm(sent: list[tuple[int, int]], stays: Path, side: GrpcSide) -> None:
    side.listener.drain(0.1)
    assert not play_incident(stays, quiet()).unharmed
    assert sent


def test_capability_that_does_not_come_back_is_harm(
    monkeypatch: pytest.MonkeyPatch, sent: list[tuple[int, int]], stays: Path
) -> None:
    monkeypatch.setattr(
        room, "_status", lambda _operations: status("DEGRADED" if sent else "FULL", full=11, distilled=22)
    )
    assert not play_incident(stays, quiet()).unharmed


@pytest.mark.usefixtures("sent")
def test_a_demo_that_does_not_come_up_whole_is_no_incident(monkeypatch: pytest.MonkeyPatch, stays: Path) -> None:
    monkeypatch.setattr(room, "_status", lambda _operations: status("RULES_ONLY"))
    with pytest.raises(ClickException, match="not all tiers came to serve"):
        play_incident(stays, quiet())


def test_a_worker_that_is_not_there_or_just_died_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, sent: list[tuple[int, int]], stays: Path
) -> None:
    def gone(pid: int, number: int) -> None:
        sent.append((pid, number))
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", gone)
    monkeypatch.setattr(room, "_status", lambda _operations: status(distilled=22))
    assert play_incident(stays, quiet()).unharmed
    assert sent == [(22, STOP)]


def stand_in(folder: Path, script: str) -> str:
    """A program to start in place of Python."""
    program = folder / "stand-in"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_the_demo_of_its_own_is_ended_with_the_incident(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    announce = 'echo "{\\"pid\\": $$, \\"asked\\": \\"$*\\"}"; trap \'exit 0\' TERM; while :; do sleep 0.05; done'
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, announce))
    with room._own_demo() as ready:  # noqa: SLF001 - the rest of the incident needs a whole minute
        os.kill(int(ready["pid"]), 0)
        assert ready["asked"].startswith("-m stepdown demo --state-dir ")
        assert ready["asked"].endswith(" --grpc-port 0 --ops-port 0")
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready["pid"]), 0)


def test_a_demo_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stubborn = 'trap \'\' TERM; echo "{\\"pid\\": $$}"; while :; do sleep 0.05; done'
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, stubborn))
    monkeypatch.setattr(room, "_END_S", 0.05)
    with room._own_demo() as ready:  # noqa: SLF001
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready["pid"]), 0)


def test_a_demo_that_does_not_start_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, "echo 'no such bundle' >&2; exit 2"))
    with pytest.raises(ClickException, match=r"the demo did not start:\nno such bundle"), room._own_demo():  # noqa: SLF001
        pass


def test_the_status_is_asked_of_this_machine_whatever_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch, operations: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert room._status(operations)["capability"] == "FULL"  # noqa: SLF001


@pytest.fixture
def operations() -> Iterator[str]:
    """A page that says what `/api/status` says."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # noqa: PLC0415 - for this fixture alone
    from threading import Thread  # noqa: PLC0415

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/api/status"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"pathways": [status()]}).encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
