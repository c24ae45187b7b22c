"""Servers of our own: the demo's chain on loopback and free ports, each with a state folder, under one authority."""

import json
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import tomli_w

from loadtests.target import Target
from stepdown.adapters.certificates import DemoPki, ensure_demo_pki
from stepdown.cli.demo import demo_configuration, ensure_ledger
from stepdown.client import Credentials
from stepdown.domain.errors import StepdownError

STARTED_WITHIN_S = 60.0
_STOPPED_WITHIN_S = 30.0
# A lost device is looked for again every minute by default, longer than a short scenario lasts.
ENGINE = {"unavailable_retry_s": 5.0}


class ServerNotStartedError(StepdownError):
    """A server of our own did not come up; its log says why."""


class OwnServer:
    """One server process of ours."""

    def __init__(self, folder: Path, pki: DemoPki, *, python: Path) -> None:
        """Configure it; `python` is an interpreter that has the server and its runtime installed."""
        folder.mkdir(parents=True)
        ports = free_ports(2)
        # With a ledger, as where patients are: what it costs is part of what is measured. Drift is watched by default.
        configuration = demo_configuration(
            pki, folder, grpc_port=ports[0], ops_port=ports[1], ledger=ensure_ledger(folder)
        ) | {"engine": ENGINE}
        self._config = folder / "stepdown.toml"
        self._config.write_bytes(tomli_w.dumps(configuration).encode())
        self._log = folder / "log"
        self._python = python
        self._process: subprocess.Popen[str] | None = None
        self.address = f"127.0.0.1:{ports[0]}"

    def start(self) -> None:
        """Start it and wait until it is ready. Raises: ServerNotStartedError."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._python), "-m", "stepdown", "serve", "--config", str(self._config)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line or json.loads(line).get("event") != "ready":
            self.stop()
            raise ServerNotStartedError(f"the server did not start: see {self._log}")

    def stop(self) -> None:
        """Ask it to drain, as `systemctl restart` does, and wait."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def processes(self) -> tuple[psutil.Process, ...]:
        """The server and its workers now."""
        try:
            server = psutil.Process(self._process.pid if self._process is not None else -1)
            return (server, *server.children(recursive=True))
        except (psutil.NoSuchProcess, ValueError):
            return ()


class OwnServers:
    """Some servers for one scenario; leaving the `with` block stops them."""

    def __init__(self, folder: Path, *, count: int, python: Path) -> None:
        """`folder` must not exist yet."""
        folder.mkdir(parents=True)
        pki = ensure_demo_pki(folder / "certificates")
        self.servers = tuple(OwnServer(folder / f"server-{number}", pki, python=python) for number in range(count))
        self.target = Target(
            addresses=",".join(server.address for server in self.servers),
            assessor=Credentials(ca=pki.ca, certificate=pki.client_cert, key=pki.client_key),
            operator=Credentials(ca=pki.ca, certificate=pki.operator_cert, key=pki.operator_key),
        )

    def __enter__(self) -> Self:
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for server in self.servers:
            server.stop()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. They are let go again: a server restarted on its port must find it free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
