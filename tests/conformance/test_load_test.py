"""`python -m loadtests` end to end: a server of its own, every kind of caller, a worker killed, and a report.

On a busy machine a run may be invalid or miss an objective, which is then said: what is asserted here is that it is
said, that nothing is mislabelled, and that what was asked is accounted for.
"""

import json
import subprocess
from pathlib import Path

import pytest

from loadtests.generator_process import ROOT

SCENARIO = """
about = "A worker dies under every kind of caller."
length_s = 7
warm_s = 1
[[load]]
profile = "steady"
[[load]]
profile = "ward-round"
[[load]]
profile = "monitor-feed"
[[load]]
profile = "surge-10x"
from_s = 5
to_s = 5.5
share = 1
[[at]]
t = 2
do = "kill"
"""
SPOKEN_FOR = {0, 1, 2}
_PATIENCE_S = 200
pytestmark = pytest.mark.timeout(2 * _PATIENCE_S)  # two environments start, on whatever machine this is


def load_test(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "loadtests", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)


def test_a_scenario_of_ones_own_is_played_and_reported(load_python: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(SCENARIO)
    ended = load_test(load_python, str(own), "--capacity", "40", "--out", str(tmp_path / "out"))
    assert ended.returncode in SPOKEN_FOR, ended.stderr
    (played,) = json.loads((tmp_path / "out" / "results.json").read_text())["scenarios"]
    assert played["verdict"] in {"met", "not met", "invalid"}, ended.stderr
    assert (played["verdict"] == "met") is (ended.returncode == 0)
    measures = played["measures"]
    assert {group["name"] for group in measures["profiles"]} == {"steady", "ward-round", "monitor-feed", "surge-10x"}
    assert measures["asked"] == sum(group["asked"] for group in measures["profiles"]) > 60
    assert (measures["mislabelled"], measures["detected_ms"] is None) == (0, False)
    assert [step["name"] for step in played["steps"]] == ["SIGKILL to full"]
    assert sum(tier["answers"]["asked"] for tier in measures["tiers"]) + measures["lost"] == measures["asked"]
    report = (tmp_path / "out" / "report.html").read_text()
    assert "var(--tier-0)" in report
    assert (tmp_path / "out" / "own.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_played_is_refused_before_anything_is_started(load_python: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(SCENARIO.replace('do = "kill"', 'do = "bomb"'))
    refused = load_test(load_python, str(wrong), "--out", str(tmp_path / "out"))
    assert refused.returncode == 2
    assert "at.0.do" in refused.stderr
    no_identity = load_test(load_python, "healthy", "--address", "127.0.0.1:1", "--out", str(tmp_path / "out"))
    assert no_identity.returncode == 2
    assert "--operator-cert" in no_identity.stderr
    assert not (tmp_path / "out").exists()
