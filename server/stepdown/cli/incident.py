"""`stepdown demo --incident`: a ward is scored while workers are killed and stopped; every answer is counted.

Starts a demo of its own, plays the incident against it and ends it. Refuses to touch any process but that demo's own.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live

from stepdown.cli.incident_view import IncidentView
from stepdown.cli.ward import Ward
from stepdown.client import AssessmentClient, Credentials

_END_S = 60.0
_CAPABLE_S = 60.0
_STATUS_PERIOD_S = 0.1
# When in the minute what happens, and to which tiers.
_SCRIPT: tuple[tuple[float, str, signal.Signals, tuple[str, ...]], ...] = (
    (8.0, "the full tier's worker is killed", signal.SIGKILL, ("full",)),
    (18.0, "the full and the distilled tier's workers are killed", signal.SIGKILL, ("full", "distilled")),
    (32.0, "the full tier's worker is stopped (it hangs)", signal.SIGSTOP, ("full",)),
)
_LENGTH_S = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """How it ended: `unharmed` when no answer was missed and full capability came back; `picture` is its last sight."""

    unharmed: bool
    picture: RenderableType


def play_incident(stays: Path, console: Console) -> Incident:
    """Play it for about a minute. Raises click.ClickException if the demo does not come up whole."""
    console.print("A demo of its own is starting; the incident begins when all three tiers serve.")
    with _own_demo() as ready, _client(ready) as client:
        if not _wait_until_full(ready["ops"]):
            raise click.ClickException(f"not all tiers came to serve within {_CAPABLE_S:.0f} s: see `stepdown probe`")
        ward = Ward(client, stays)
        view = IncidentView()
        ward.start()
        with Live(view.render(_status(ready["ops"]), ward.tally()), console=console, refresh_per_second=8) as live:
            _play(ready["ops"], ward, view, live)
        ward.stop()
        capable = _wait_until_full(ready["ops"])
        tally = ward.tally()
        verdict = view.verdict(tally, capable=capable)
        # Only on a terminal does the live picture end its last line.
        console.print(verdict if console.is_terminal else f"\n{verdict}")
        picture = Group(view.render(_status(ready["ops"]), tally), verdict)
    return Incident(unharmed=tally.missed == 0 and capable, picture=picture)


def _play(operations: str, ward: Ward, view: IncidentView, live: Live) -> None:
    begun_s = time.monotonic()
    script = list(_SCRIPT)
    while (elapsed_s := time.monotonic() - begun_s) < _LENGTH_S:
        status = _status(operations)
        if script and elapsed_s >= script[0][0]:
            _, what, sent, tiers = script.pop(0)
            view.happened(elapsed_s, what)
            for tier in status["tiers"]:
                if tier["name"] in tiers and tier["worker_pid"]:
                    with suppress(ProcessLookupError):  # it died by itself since the status was asked for
                        os.kill(tier["worker_pid"], sent)
        view.saw(elapsed_s, status)
        live.update(view.render(status, ward.tally()))
        time.sleep(_STATUS_PERIOD_S)


def _status(operations: str) -> dict[str, Any]:
    # A proxy of the environment knows nothing of this machine's loopback.
    with build_opener(ProxyHandler({})).open(f"{operations}/api/status", timeout=5.0) as response:
        pathway: dict[str, Any] = json.load(response)["pathways"][0]
    return pathway


def _wait_until_full(operations: str) -> bool:
    deadline_s = time.monotonic() + _CAPABLE_S
    while time.monotonic() < deadline_s:
        if _status(operations)["capability"] == "FULL":
            return True
        time.sleep(_STATUS_PERIOD_S)
    return False


@contextmanager
def _own_demo() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="stepdown-incident-") as folder, tempfile.TemporaryFile() as log:
        command = [
            sys.executable,
            "-m",
            "stepdown",
            "demo",
            "--state-dir",
            folder,
            "--grpc-port",
            "0",
            "--ops-port",
            "0",
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                log.seek(0)
                raise click.ClickException(f"the demo did not start:\n{log.read().decode()[-2000:]}")
            yield json.loads(line)
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _client(ready: dict[str, str]) -> AssessmentClient:
    credentials = Credentials(
        ca=Path(ready["ca"]), certificate=Path(ready["client_cert"]), key=Path(ready["client_key"])
    )
    return AssessmentClient(ready["grpc"], credentials)
