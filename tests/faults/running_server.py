"""A real server in a process of its own, on free loopback ports, over a copy of this repository's bundles."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import tomli_w

from stepdown.adapters.certificates import DemoPki, ensure_demo_pki
from stepdown.adapters.ledger.keys import ensure_ledger_keys
from stepdown.client import AssessmentClient, Credentials

ROOT = Path(__file__).resolve().parents[2]
LEDGER_NAME = "test/ledger"
PATIENCE_S = 60.0
_POLL_S = 0.02


class RunningServer:
    """What tests do to a server: ask it, look at it, hurt its workers, stop it."""

    def __init__(self, process: "subprocess.Popen[str]", ready: dict[str, str], folder: Path) -> None:
        self.process = process
        self.ready = ready
        self.folder = folder

    def client(self, role: str = "client") -> AssessmentClient:
        """A client with the certificate of a role: client or operator."""
        return AssessmentClient(self.ready["grpc"], self.credentials(role))

    def credentials(self, role: str = "client") -> Credentials:
        certificates = self.folder / "certificates"
        return Credentials(
            ca=certificates / "ca.pem", certificate=certificates / f"{role}.pem", key=certificates / f"{role}.key.pem"
        )

    def get(self, path: str) -> tuple[int, str]:
        """Status code and body of an operations page."""
        try:
            with urlopen(self.ready["ops"] + path, timeout=10) as response:  # noqa: S310 - this test's own server
                return response.status, response.read().decode()
        except HTTPError as refused:
            return refused.code, refused.read().decode()

    def pathway(self) -> dict[str, Any]:
        """The first pathway of `/api/status`."""
        status: dict[str, Any] = json.loads(self.get("/api/status")[1])["pathways"][0]
        return status

    def tier(self, name: str) -> dict[str, Any]:
        """One tier of it."""
        return next(tier for tier in self.pathway()["tiers"] if tier["name"] == name)

    def send(self, tier: str, number: signal.Signals) -> int:
        """Send a signal to a tier's worker; returns its pid."""
        pid = int(self.tier(tier)["worker_pid"])
        os.kill(pid, number)
        return pid

    def until(self, condition: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
        """Wait for a condition, and fail with the server's state if it does not come true."""
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, json.dumps(self.pathway(), indent=1)
            time.sleep(_POLL_S)

    def until_capable(self, capability: str) -> None:
        """Wait until the pathway says so."""
        self.until(lambda: self.pathway()["capability"] == capability)

    def log(self) -> list[dict[str, Any]]:
        """Every line the server has logged."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines() if line.startswith("{")]


@contextmanager
def running_server(
    change: Callable[[dict[str, Any]], object] = lambda _settings: None,
    *,
    spoil: Callable[[Path], None] = lambda _bundles: None,
    under: tuple[str, ...] = (),
) -> Iterator[RunningServer]:
    """Serve the demo's chain; `change` edits its settings, `spoil` the copy of its bundles, `under` starts it."""
    with tempfile.TemporaryDirectory(prefix="stepdown-test-") as name:
        folder = Path(name)
        pki = ensure_demo_pki(folder / "certificates")
        for bundles in ("models", "fallback_rules"):
            shutil.copytree(ROOT / bundles, folder / bundles, ignore=shutil.ignore_patterns("training", "*.md.tmp"))
        spoil(folder)
        settings = demo_settings(pki)
        change(settings)
        (folder / "stepdown.toml").write_bytes(tomli_w.dumps(settings).encode())
        process = start(folder, under=under)
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            assert line, (folder / "log").read_text()
            yield RunningServer(process, json.loads(line), folder)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def keep_ledger(settings: dict[str, Any]) -> Path:
    """Let the server keep a ledger with keys of its own, beside its certificates. Returns where it will lie."""
    folder = Path(settings["server"]["tls"]["certificate"]).parent
    keys = {"signing_key": folder / "ledger.key.pem", "digest_key": folder / "digests.key"}
    ensure_ledger_keys(**keys, name=LEDGER_NAME)
    path = folder / "ledger.db"
    settings["ledger"] = {"name": LEDGER_NAME, "path": str(path), **{name: str(key) for name, key in keys.items()}}
    return path


def start(folder: Path, *, under: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start the server of a folder's configuration, with a command before its own that ends in `exec`."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*under, sys.executable, "-m", "stepdown", "serve", "--config", str(folder / "stepdown.toml")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def demo_settings(pki: DemoPki) -> dict[str, Any]:
    """The demo's settings on free ports, over the bundles beside the configuration file."""
    settings = tomllib.loads((ROOT / "deploy" / "demo" / "stepdown.toml").read_text())
    settings["server"] |= {
        "grpc_address": "127.0.0.1:0",
        "ops_address": "127.0.0.1:0",
        "tls": {
            "certificate": str(pki.server_cert),
            "key": str(pki.server_key),
            "client_ca": str(pki.ca),
            "trust_domain": "stepdown.demo",
        },
    }
    settings["trust"] = {
        "policy": str(ROOT / "deploy" / "demo" / "trust.toml"),
        "bundle_directories": ["models", "fallback_rules"],
    }
    return settings
