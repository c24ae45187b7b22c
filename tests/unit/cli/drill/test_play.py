"""`stepdown drill run` played in this process, against a server of rules in this process: no model is needed for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner

from stepdown import settings
from stepdown.adapters.certificates import DemoPki, ensure_demo_pki
from stepdown.cli.drill.command import drill
from stepdown.wiring import Server
from tests.faults.running_server import ROOT, demo_settings

STAYS = ROOT / "deploy" / "demo" / "stays"
HOURS = 12
DRILLS = """
[load]
rate_per_s = 20
deadline_ms = 10000
before_s = 0.2
after_s = 0.2
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
about = "The certificate ends, and nobody could hear of that in a microsecond."
fault = "CERTIFICATE_EXPIRING"
duration_s = 2
alarm = "CERTIFICATE_EXPIRING"
objectives = { alarm_ms = 0.001 }
[drill.worker]
about = "There is no worker that could die."
fault = "WORKER_KILLED"
tier = "rules"
duration_s = 1
[drill.nowhere]
about = "There is no such tier."
fault = "ABORT"
tier = "attic"
duration_s = 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A server, its certificates and the file of drills."""

    address: str
    pki: DemoPki
    folder: Path

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and messages of `drill run`."""
        whom = {
            "address": self.address,
            "ca": self.pki.ca,
            "cert": self.pki.client_cert,
            "key": self.pki.client_key,
            "operator-cert": self.pki.operator_cert,
            "operator-key": self.pki.operator_key,
            "objectives": self.folder / "drills.toml",
            "stays": self.folder / "stays",
        }
        options = [part for name, value in whom.items() for part in (f"--{name}", str(value))]
        ended = CliRunner().invoke(drill, ["run", *arguments, *options], env={"COLUMNS": "200"})
        return ended.exit_code, ended.stdout, ended.stderr


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    folder = tmp_path_factory.mktemp("rehearsed")
    pki = ensure_demo_pki(folder / "certificates")
    document: dict[str, Any] = demo_settings(pki)
    document["pathway"][0]["tier"] = document["pathway"][0]["tier"][-1:]
    document["trust"]["bundle_directories"] = [str(ROOT / "fallback_rules")]
    (folder / "stepdown.toml").write_bytes(tomli_w.dumps(document).encode())
    (folder / "drills.toml").write_text(DRILLS)
    (folder / "stays").mkdir()
    first = min(STAYS.glob("*.psv"))
    (folder / "stays" / first.name).write_text("".join(first.read_text().splitlines(keepends=True)[: 1 + HOURS]))
    server = Server(settings.load(folder / "stepdown.toml"))
    server.start()
    try:
        yield Rehearsed(address=server.addresses()["grpc"], pki=pki, folder=folder)
    finally:
        server.stop()


def test_a_fault_that_moves_no_tier_is_played_and_every_question_is_answered(rehearsed: Rehearsed) -> None:
    code, output, told = rehearsed.run("clock", "--json")
    played = json.loads(output)
    assert (code, played["met"]) == (0, True), told
    measures = played["measures"]
    assert (measures["lost"], measures["mislabelled"]) == (0, 0)
    assert all(phase["asked"] > 0 for phase in measures["phases"])
    assert "all is as before" in told


def test_an_operator_who_is_cut_off_waits_until_he_hears_again_and_an_objective_that_is_missed_is_said(
    rehearsed: Rehearsed, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    code, output, told = rehearsed.run("cut", "certificate", "--html", str(page))
    assert code == 1, told
    assert "cut: met" in output
    assert "certificate: NOT MET" in output
    assert "certificate" in page.read_text("utf-8")


def test_a_drill_that_cannot_be_played_says_nothing_of_the_server(rehearsed: Rehearsed) -> None:
    assert rehearsed.run("worker")[0] == 2
    code, _, told = rehearsed.run("nowhere")
    assert code == 2
    assert "has no tier attic" in told
