"""`stepdown drill` as its user runs it, against a real server: the verdict, the page, and the exit codes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import STAYS
from tests.faults.running_server import RunningServer, running_server

# Its times leave room for whatever else the machine does. What is promised on a quiet one stands in
# deploy/drills/objectives.toml, and what was measured in docs/measurements.md.
DRILLS = """
[load]
rate_per_s = 15
deadline_ms = 10000
before_s = 1
after_s = 1
[drill.killed]
about = "The worker dies."
fault = "WORKER_KILLED"
tier = "full"
duration_s = 5
objectives = { detected_ms = 20000, next_tier_ms = 20000, back_s = 30 }
[drill.impossible]
about = "The worker is slow for a moment, and that must never be noticed."
fault = "WORKER_SLOW"
tier = "full"
duration_s = 1
delay_ms = 300
patience_s = 30
objectives = { detected_ms = 0.001 }
[drill.wrong]
about = "What comes out is wrong."
fault = "OUTPUT_WRONG"
tier = "full"
duration_s = 30
objectives = { detected_ms = 20000 }
[drill.clock]
about = "The wall clock jumps."
fault = "CLOCK_JUMP"
duration_s = 1
clock_step_s = 3600
objectives = { moves = 0 }
[drill.cut]
about = "The operator hears nothing."
fault = "NETWORK_PARTITION"
client = "operator"
duration_s = 1
objectives = { moves = 0 }
[drill.certificate]
about = "The certificate ends."
fault = "CERTIFICATE_EXPIRING"
duration_s = 8
alarm = "CERTIFICATE_EXPIRING"
objectives = { alarm_ms = 8000, alarm_end_ms = 30000 }
[drill.nowhere]
about = "There is no such tier."
fault = "ABORT"
tier = "attic"
duration_s = 5
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    def patient(settings: dict[str, Any]) -> None:
        # Questions come at their own rate, whatever else the machine does: nobody is sent away for its slowness.
        settings["server"]["maximum_wait_s"] = 30.0

    with running_server(patient) as server:
        server.until_capable("FULL")
        yield server


@pytest.fixture
def drills(tmp_path: Path) -> Path:
    file = tmp_path / "drills.toml"
    file.write_text(DRILLS)
    return file


def few_stays(folder: Path) -> Path:
    """Two of the demo's stays: each tier is asked about every hour before a drill."""
    stays = folder / "stays"
    stays.mkdir(exist_ok=True)
    for stay in sorted(STAYS.glob("*.psv"))[:2]:
        shutil.copy(stay, stays)
    return stays


def drill(server: RunningServer, drills: Path, *arguments: str, role: str = "operator") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    certificates = server.folder / "certificates"
    target = [
        *("--address", server.ready["grpc"], "--ca", str(certificates / "ca.pem")),
        *("--cert", str(certificates / "client.pem"), "--key", str(certificates / "client.key.pem")),
        *("--operator-cert", str(certificates / f"{role}.pem")),
        *("--operator-key", str(certificates / f"{role}.key.pem")),
    ]
    command = [sys.executable, "-m", "stepdown", "drill", "run", *arguments, "--objectives", str(drills), *target]
    ended = subprocess.run(
        [*command, "--stays", str(few_stays(drills.parent))], capture_output=True, text=True, timeout=200, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_a_drill_that_is_met_says_so_in_json_and_on_a_page(server: RunningServer, drills: Path) -> None:
    page = drills.with_suffix(".html")
    code, output, told = drill(server, drills, "killed", "--json", "--html", str(page))
    assert code == 0, told
    verdict: dict[str, Any] = json.loads(output)
    assert verdict["met"] is True
    measures = verdict["measures"]
    assert (measures["lost"], measures["mislabelled"]) == (0, 0)
    assert measures["phases"][1]["shares"]["distilled"] > 0
    assert measures["phases"][2]["shares"]["full"] > 0
    assert page.read_text().startswith("<!doctype html>")


def test_a_drill_that_is_not_met_ends_with_one_and_says_which_objective(server: RunningServer, drills: Path) -> None:
    server.until_capable("FULL")
    code, output, told = drill(server, drills, "impossible")
    assert code == 1, told
    assert "NOT MET" in output
    assert "detected_ms" in output


def test_wrong_answers_are_listed_until_the_probe_finds_them(server: RunningServer, drills: Path) -> None:
    server.until_capable("FULL")
    code, output, told = drill(server, drills, "wrong", "--json", "--rate", "20")
    assert code == 0, told + output
    assert json.loads(output)["measures"]["wrong_given"]


def test_faults_of_no_tier_are_played_one_after_another_and_share_a_verdict_and_a_page(
    server: RunningServer, drills: Path
) -> None:
    server.until_capable("FULL")
    page = drills.with_name("several.html")
    code, output, told = drill(server, drills, "clock", "cut", "certificate", "--json", "--html", str(page))
    assert code == 0, told + output
    verdict: dict[str, Any] = json.loads(output)
    assert [each["drill"] for each in verdict["drills"]] == ["clock", "cut", "certificate"]
    assert all(each["met"] for each in verdict["drills"])
    assert "Rehearsal of 3 drills" in page.read_text()


def test_no_tier_is_left_out_because_a_drill_asked_another(server: RunningServer, drills: Path) -> None:
    server.until_capable("FULL")
    drill(server, drills, "clock")
    assert {server.tier(name)["state"] for name in ("full", "distilled", "rules")} == {"SERVING"}


def test_a_drill_that_cannot_be_played_says_nothing_about_the_server(server: RunningServer, drills: Path) -> None:
    server.until_capable("FULL")
    code, output, told = drill(server, drills, "nowhere")
    assert (code, output) == (2, "")
    assert "no tier attic" in told
    code, _, told = drill(server, drills, "killed", role="client")
    assert code == 2
    assert "PERMISSION_DENIED" in told
    code, _, told = drill(server, drills, "earthquake")
    assert code == 2
    assert "killed, impossible" in told
