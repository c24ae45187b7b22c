"""`stepdown health`: what a container's health check is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import tomli_w
from click.testing import CliRunner, Result

from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.cli.health import health
from tests.faults.running_server import ROOT, demo_settings

Ask = Callable[..., Result]


@contextmanager
def operations(codes: dict[str, int]) -> Iterator[str]:
    """A page for each path, with this code."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes.get(self.path, 404))
            self.end_headers()
            self.wfile.write(b"NONE")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    def run(address: str, *options: str) -> Result:
        document = demo_settings(ensure_demo_pki(tmp_path / "certificates"))
        document["server"]["ops_address"] = address
        document["trust"]["bundle_directories"] = [str(ROOT / "fallback_rules")]
        file = tmp_path / "stepdown.toml"
        file.write_bytes(tomli_w.dumps(document).encode())
        return CliRunner().invoke(health, ["--config", str(file), *options])

    return run


def test_a_server_that_lives_and_is_not_ready_is_said_to_live(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with operations({"/livez": 200, "/readyz": 503}) as address:
        lives, ready = ask(address), ask(address, "--ready")
    assert (lives.exit_code, lives.output) == (0, "ok\n")
    assert ready.exit_code == 1
    assert "503 NONE" in ready.stderr


def test_where_nobody_answers_that_is_said(ask: Ask) -> None:
    with operations({}) as address:
        odd = ask(address)
    assert (odd.exit_code, ask(address).exit_code) == (1, 1)
    assert "404" in odd.stderr
    assert "is the server running" in ask(address).stderr


def test_an_answer_that_is_not_ok_is_no_health(ask: Ask) -> None:
    with operations({"/livez": 204}) as address:
        assert "204" in ask(address).stderr


def test_a_configuration_that_is_wrong_is_said(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.toml"
    file.write_text("environment = 3\n")
    told = CliRunner().invoke(health, ["--config", str(file)])
    assert told.exit_code == 1
    assert "environment" in told.stderr
