"""Other versions brought into a whole server under load, by the operator's command, and back."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import Load
from tests.faults.new_versions import FULL, NEWS2, release, sign, trust_releases
from tests.faults.running_server import RunningServer, running_server, start

PATHWAY = "sepsis-early-warning"


def without_distilled(settings: dict[str, Any]) -> None:
    """One model is enough to change; the rules stand behind it."""
    settings["pathway"][0]["tier"] = [settings["pathway"][0]["tier"][0], settings["pathway"][0]["tier"][-1]]


@pytest.fixture
def server() -> Iterator[RunningServer]:
    folders: list[Path] = []

    def change(settings: dict[str, Any]) -> None:
        without_distilled(settings)
        trust_releases(folders[0], settings)

    def spoil(folder: Path) -> None:
        folders.append(folder)
        # The newest version present serves from the start where nothing was activated.
        release(folder, FULL, "1.1.0")

    with running_server(change, spoil=spoil) as server:
        server.until_capable("FULL")
        first = server.process
        yield server
        if server.process is not first:
            stop(server)


def stop(server: RunningServer) -> None:
    server.process.terminate()
    assert server.process.wait(30) == 0
    assert server.process.stdout is not None
    server.process.stdout.close()


def command(server: RunningServer, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """`stepdown bundle ... --json` as an operator; its exit code, document and messages."""
    operator = server.credentials("operator")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "stepdown", "bundle", *arguments, "--json"),
            *("--address", server.ready["grpc"], "--ca", str(operator.ca)),
            *("--cert", str(operator.certificate), "--key", str(operator.key)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    document: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.returncode, document, done.stderr


def activate(server: RunningServer, version: str, *options: str, tier: str = "full") -> tuple[int, dict[str, Any], str]:
    return command(server, "activate", PATHWAY, tier, version, "--why", "a test", *options)


def again(server: RunningServer, *, capable: str = "FULL") -> None:
    """Stop the server and start it on the same folder."""
    stop(server)
    begin(server, capable=capable)


def begin(server: RunningServer, *, capable: str = "FULL") -> None:
    server.process = start(server.folder)
    assert server.process.stdout is not None
    server.ready = json.loads(server.process.stdout.readline())
    server.until_capable(capable)


def versions(load: Load, since_s: float = 0.0, *, tier: str = "full") -> Counter[str]:
    """Which versions answered, but for the rules where a chart suits no model."""
    return Counter(answer.bundle for answer in tuple(load.answers) if answer.at_s >= since_s and answer.tier == tier)


def degraded_for(server: RunningServer) -> set[str]:
    """Why the full model did not answer, in all the time."""
    lines = server.get("/metrics")[1].splitlines()
    counted = [line for line in lines if line.startswith("stepdown_degradations_total{")]
    return {line.partition('reason="')[2].partition('"')[0] for line in counted if not line.endswith(" 0.0")}


def test_e3_a_new_version_comes_in_goes_back_and_survives_restarts_while_nobody_notices(server: RunningServer) -> None:
    release(server.folder, FULL, "1.2.0")
    with Load(server, timeout_s=5.0) as load:
        code, told, messages = activate(server, "1.2.0", "--share", "0.5", "--observe", "3")
        assert (code, told["state"], told["bundle"]) == (0, "PROMOTED", "sepsis-full 1.2.0"), messages
        assert told["answers"] > 0
        assert "CANARY" in json.dumps(server.log())
        promoted_s = time.monotonic() + 0.5
        load_until(load, promoted_s)
        code, told, messages = command(server, "rollback", PATHWAY, "full", "--why", "a test")
        assert (code, told["bundle"]) == (0, "sepsis-full 1.1.0"), messages
        back_s = time.monotonic() + 0.5
        load_until(load, back_s)
    assert load.failures == []
    assert degraded_for(server) <= {"INPUT_UNSUITABLE"}
    assert set(versions(load)) == {"sepsis-full 1.1.0", "sepsis-full 1.2.0"}
    assert set(versions(load, back_s)) == {"sepsis-full 1.1.0"}
    digests = {(answer.bundle, answer.sha256) for answer in load.answers if answer.tier == "full"}
    assert len(digests) == 2
    moved = [line["capability"] for line in server.log() if line["event"] == "capability_changed"]
    assert moved[-1] == "FULL"
    assert moved.count("FULL") == 1
    code, told, messages = command(server, "rollback", PATHWAY, "full", "--why", "again")
    assert (code, "served before" in messages) == (1, True)
    # 1.2.0 is the newest there is, but not what the operator wants to serve.
    again(server)
    assert server.tier("full")["bundle"]["version"] == "1.1.0"


def load_until(load: Load, moment_s: float, *, tier: str = "full") -> None:
    deadline_s = time.monotonic() + 30
    while not versions(load, moment_s, tier=tier):
        assert time.monotonic() < deadline_s, load.failures
        time.sleep(0.01)


def test_what_was_promoted_serves_after_a_restart_and_what_no_longer_verifies_does_not(server: RunningServer) -> None:
    target = release(server.folder, FULL, "1.2.0")
    assert activate(server, "1.2.0", "--share", "1", "--observe", "0")[0] == 0
    server.until(lambda: "1.2.0" in (server.folder / "state" / "active-bundles.json").read_text())
    again(server)
    assert server.tier("full")["bundle"]["version"] == "1.2.0"
    assert server.tier("full")["previous_bundle"]["version"] == "1.1.0"
    (target / "model.onnx").write_bytes(b"something else")
    again(server, capable="RULES_ONLY")
    full = server.tier("full")
    assert (full["state"], "FILE_CHANGED" in full["detail"]) == ("REFUSED", True)
    # Nothing older comes back by itself; an operator who stopped the server can want it.
    stop(server)
    lower = ("trust", "lower-floor", str(server.folder / "state"), "sepsis-full", "1.1.0", "--why", "1.2.0 is damaged")
    subprocess.run([sys.executable, "-m", "stepdown", *lower], check=True, timeout=120)
    begin(server)
    assert server.tier("full")["bundle"]["version"] == "1.1.0"
    refused = [line for line in server.log() if line["event"] == "active_bundle_refused"]
    assert (refused[-1]["level"], "FILE_CHANGED" in refused[-1]["detail"]) == ("error", True)


def test_f1_f2_f3_what_is_not_the_version_asked_for_is_refused_and_the_last_good_one_serves(
    server: RunningServer,
) -> None:
    flipped = release(server.folder, FULL, "1.2.0")
    model = bytearray((flipped / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (flipped / "model.onnx").write_bytes(bytes(model))
    renamed = release(server.folder, FULL, "1.3.0")
    renamed.rename(renamed.parent / "1.4.0")
    other_inputs = {"input": ("    48,\n", "    24,\n")}
    release(server.folder, FULL, "1.5.0", changes=other_inputs)
    for version, rule in (
        ("1.2.0", "FILE_CHANGED"),
        ("1.4.0", "VERSION_MISMATCH"),
        ("1.0.0", "VERSION_TOO_LOW"),
        ("1.5.0", "input: observations FP32 [-1, 24, 40]"),
        ("9.0.0", "BUNDLE_NOT_FOUND"),
    ):
        code, _, messages = activate(server, version)
        assert (code, rule in messages) == (1, True), (version, messages)
    good = release(server.folder, FULL, "1.6.0")
    code, _, messages = activate(server, "1.6.0", "--sha256", "0" * 64)
    assert (code, "DIGEST_MISMATCH" in messages) == (1, True)
    # What was verified is what is loaded, whatever lies there a moment later.
    assert activate(server, "1.6.0", "--no-wait", "--share", "1", "--observe", "0")[0] == 0
    (good / "model.onnx").write_bytes(b"swapped after the check")
    server.until(lambda: server.tier("full")["bundle"]["version"] == "1.6.0")
    assert server.pathway()["capability"] == "FULL"


def test_rules_are_exchanged_under_load_and_every_answer_names_those_that_gave_it(server: RunningServer) -> None:
    rules = release(server.folder, NEWS2, "1.1.0")
    sign(rules)
    assert command(server, "activate", PATHWAY, "rules", "1.1.0", "--share", "0.5", "--why", "a test")[0] == 1
    server_tier_off(server)
    with Load(server, timeout_s=5.0) as load:
        code, told, messages = activate(server, "1.1.0", tier="rules")
        assert (code, told["state"]) == (0, "PROMOTED"), messages
        since_s = time.monotonic()
        load_until(load, since_s, tier="rules")
    assert load.failures == []
    assert set(versions(load, tier="rules")) == {"news2 1.0.0", "news2 1.1.0"}
    assert set(versions(load, since_s, tier="rules")) == {"news2 1.1.0"}


def server_tier_off(server: RunningServer) -> None:
    from stepdown.client.operations import disable_tier  # noqa: PLC0415

    disable_tier(
        server.ready["grpc"], server.credentials("operator"), pathway=PATHWAY, tier="full", detail="only rules"
    )
    server.until_capable("RULES_ONLY")
