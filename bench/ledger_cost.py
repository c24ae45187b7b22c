"""What the ledger costs: `python -m bench.ledger_cost [--seconds 4] [--rounds 3]`.

Two servers of the demo chain run side by side, one with a ledger and one without, and are asked in turns by the same
callers; unique requests, mutual TLS, 32 in flight and then one. Prints CPU per answer over the server process alone
(its workers do not write the ledger), answers per second, and latencies, as medians over the rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.client import AssessmentClient, Credentials
from tests.fakes.assess_requests import assess_request

_TICKS_PER_S = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One round."""

    cpu_us: float
    per_s: float
    p50_ms: float
    p99_ms: float


@contextmanager
def server(folder: Path, *, keeps_ledger: bool) -> Iterator[tuple[int, AssessmentClient]]:
    """A demo server with or without its ledger: its process id, and a client."""
    command = [
        sys.executable,
        "-m",
        "stepdown",
        "demo",
        "--state-dir",
        str(folder),
        "--grpc-port",
        "0",
        "--ops-port",
        "0",
    ]
    if not keeps_ledger:
        _run_once(command)
        config = folder / "stepdown.toml"
        document = tomllib.loads(config.read_text())
        del document["ledger"]
        config.write_bytes(tomli_w.dumps(document).encode())
        command = [sys.executable, "-m", "stepdown", "serve", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        ready = _ready(process)
        certificates = folder / "certificates"
        credentials = Credentials(
            ca=certificates / "ca.pem",
            certificate=certificates / "client.pem",
            key=certificates / "client.key.pem",
        )
        time.sleep(5.0)  # models load and prove themselves
        try:
            with AssessmentClient(ready["grpc"], credentials) as client:
                yield process.pid, client
        finally:
            process.terminate()


def measure(pid: int, client: AssessmentClient, *, callers: int, seconds: float) -> Figures:
    """Ask from so many threads for so long."""
    latencies: list[float] = []
    until_s = time.monotonic() + seconds

    def ask() -> None:
        request = AssessRiskRequest.FromString(assess_request().SerializeToString())
        while time.monotonic() < until_s:
            request.request_id = str(uuid.uuid4())
            request.encounter_token = request.request_id
            begun_s = time.perf_counter()
            client.assess(request, timeout_s=5.0)
            latencies.append(time.perf_counter() - begun_s)

    before, begun_s = _cpu_s(pid), time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent_s, cpu_s = time.monotonic() - begun_s, _cpu_s(pid) - before
    latencies.sort()
    return Figures(
        cpu_us=cpu_s / len(latencies) * 1e6,
        per_s=len(latencies) / spent_s,
        p50_ms=latencies[len(latencies) // 2] * 1e3,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1e3,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder) / "with", keeps_ledger=True) as kept,
        server(Path(folder) / "without", keeps_ledger=False) as bare,
    ):
        for callers in (32, 1):
            rounds = [
                {
                    name: measure(*one, callers=callers, seconds=options.seconds)
                    for name, one in (("with", kept), ("without", bare))
                }
                for _ in range(options.rounds)
            ]
            for name in ("with", "without"):
                figures = [each[name] for each in rounds]
                line = {
                    field: round(statistics.median(getattr(each, field) for each in figures), 2)
                    for field in ("cpu_us", "per_s", "p50_ms", "p99_ms")
                }
                print(json.dumps({"in_flight": callers, "ledger": name, **line}))


def _ready(process: "subprocess.Popen[str]") -> dict[str, str]:
    line = process.stdout.readline() if process.stdout is not None else ""
    return dict(json.loads(line))


def _run_once(command: list[str]) -> None:
    """Let the demo write its configuration, and end it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        _ready(process)
        process.terminate()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


if __name__ == "__main__":
    main()
