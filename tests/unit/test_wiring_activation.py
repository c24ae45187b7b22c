"""A composed server whose rules change: verified, exchanged, recorded, and back."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from stepdown.adapters.active_bundles import FILE
from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.cli.trust.command import trust
from stepdown.client import AssessmentError, Credentials
from stepdown.client.activations import ActivationSummary, activate_bundle, rollback_bundle
from stepdown.wiring import Server
from tests.faults.new_versions import NEWS2, release, trust_releases
from tests.faults.running_server import ROOT, demo_settings
from tests.unit.test_wiring import composed, status

PATHWAY = "sepsis-early-warning"


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """Rules and one model, which has no verified bundle, with a directory for what must last."""
    shutil.copytree(ROOT / "fallback_rules", tmp_path / "fallback_rules")
    (tmp_path / "models").mkdir()
    settings = demo_settings(ensure_demo_pki(tmp_path / "certificates"))
    trust_releases(tmp_path, settings)
    release(tmp_path, NEWS2, "1.1.0")
    settings["pathway"][0]["tier"][-1]["version"] = "1.0.0"
    return settings


class Runs:
    """One server at a time on the same folder."""

    def __init__(self, folder: Path, document: dict[str, Any]) -> None:
        self._folder = folder
        self._document = document
        self._running: list[Server] = []

    def __call__(self) -> Server:
        self.end()
        self._running.append(composed(self._folder, self._document))
        self._running[-1].start()
        return self._running[-1]

    def end(self) -> None:
        while self._running:
            self._running.pop().stop()


@pytest.fixture
def start(tmp_path: Path, document: dict[str, Any]) -> Iterator[Runs]:
    runs = Runs(tmp_path, document)
    yield runs
    runs.end()


def operator(folder: Path) -> Credentials:
    pki = ensure_demo_pki(folder / "certificates")
    return Credentials(ca=pki.ca, certificate=pki.operator_cert, key=pki.operator_key)


def activate(server: Server, folder: Path, version: str, tier: str = "rules", **more: Any) -> ActivationSummary:  # noqa: ANN401
    address = server.addresses()["grpc"]
    return activate_bundle(
        address, operator(folder), pathway=PATHWAY, tier=tier, version=version, detail="test", **more
    )


def roll_back(server: Server, folder: Path) -> ActivationSummary:
    address = server.addresses()["grpc"]
    return rollback_bundle(address, operator(folder), pathway=PATHWAY, tier="rules", detail="test")


def rules(server: Server) -> dict[str, Any]:
    tier: dict[str, Any] = status(server)["tiers"][-1]
    return tier


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(AssessmentError) as failure:
        act()
    return str(failure.value)


def test_rules_change_go_back_and_stay_after_a_restart(start: Runs, tmp_path: Path) -> None:
    server = start()
    assert "served before" in refused(lambda: roll_back(server, tmp_path))
    assert activate(server, tmp_path, "1.1.0").state == "PROMOTED"
    assert (rules(server)["bundle"]["version"], rules(server)["previous_bundle"]["version"]) == ("1.1.0", "1.0.0")
    server = start()
    assert (rules(server)["bundle"]["version"], rules(server)["previous_bundle"]["version"]) == ("1.1.0", "1.0.0")
    assert "VERSION_TOO_LOW" in refused(lambda: activate(server, tmp_path, "1.0.0"))
    assert roll_back(server, tmp_path).bundle == "news2 1.0.0"
    server = start()
    assert (rules(server)["bundle"]["version"], rules(server)["previous_bundle"]) == ("1.0.0", None)
    assert "VERSION_TOO_LOW" in refused(lambda: activate(server, tmp_path, "1.0.0"))


def test_what_cannot_be_brought_in_is_refused_by_name(start: Runs, tmp_path: Path, document: dict[str, Any]) -> None:
    release(tmp_path, NEWS2, "1.2.0", changes={"role": ('tier_role = "rules"', 'tier_role = "generic"')})
    server = start()
    assert "exchanged at once" in refused(lambda: activate(server, tmp_path, "1.1.0", canary_share=0.5))
    assert "tier_role" in refused(lambda: activate(server, tmp_path, "1.2.0"))
    assert "DIGEST_MISMATCH" in refused(lambda: activate(server, tmp_path, "1.1.0", sha256="0" * 64))
    assert "BUNDLE_NOT_FOUND" in refused(lambda: activate(server, tmp_path, "1.3.0"))
    assert "BUNDLE_NOT_FOUND" in refused(lambda: activate(server, tmp_path, "1.0.0", tier="full"))
    assert "serves already" in refused(lambda: activate(server, tmp_path, "1.0.0"))
    Path(document["trust"]["policy"]).unlink()
    assert "KEY_UNREADABLE" in refused(lambda: activate(server, tmp_path, "1.1.0"))


def test_a_version_denied_since_does_not_come_back(start: Runs, tmp_path: Path, document: dict[str, Any]) -> None:
    server = start()
    digest = rules(server)["bundle"]["sha256"]
    activate(server, tmp_path, "1.1.0")
    policy = Path(document["trust"]["policy"])
    text = policy.read_text()
    policy.write_text(text.replace("bundle_digests = []", f'bundle_digests = ["{digest}"]'))
    assert "BUNDLE_DENIED" in refused(lambda: roll_back(server, tmp_path))
    policy.unlink()
    assert "trust policy" in refused(lambda: roll_back(server, tmp_path))
    policy.write_text(text)


@pytest.mark.parametrize("spoiled", ["changed", "unreadable", "overruled", "previous"])
def test_a_record_that_does_not_hold_gives_way_to_what_does_and_never_to_what_is_older(
    start: Runs, tmp_path: Path, document: dict[str, Any], spoiled: str
) -> None:
    server = start()
    activate(server, tmp_path, "1.1.0")
    start.end()
    record = tmp_path / "state" / FILE
    kept = json.loads(record.read_text())
    if spoiled == "changed":
        (tmp_path / NEWS2 / "1.1.0" / "rules.toml").write_text("# nothing\n")
    elif spoiled == "unreadable":
        record.write_text("{")
    elif spoiled == "overruled":
        document["pathway"][0]["tier"][-1]["version"] = ""
    else:
        kept["tiers"][0]["previous"]["sha256"] = "0" * 64
        record.write_text(json.dumps(kept))
    now = rules(start())
    if spoiled == "changed":  # the one before does not come back by itself
        assert (now["state"], "VERSION_ROLLED_BACK" in now["detail"]) == ("REFUSED", True)
    else:
        assert (now["state"], now["bundle"]["version"], now["previous_bundle"]) == ("SERVING", "1.1.0", None)


def test_an_operator_who_stopped_the_server_can_go_back_and_that_is_on_record(
    start: Runs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start()
    activate(server, tmp_path, "1.1.0")
    lower = ("lower-floor", str(tmp_path / "state"), "news2", "1.0.0", "--why", "a colleague doubts it")
    held = CliRunner().invoke(trust, lower)
    assert (held.exit_code, "another process holds it" in held.stderr) == (1, True)
    start.end()
    (tmp_path / "state" / FILE).unlink()
    assert "was 1.1.0 and is 1.0.0 now" in CliRunner().invoke(trust, lower).stdout
    assert rules(start())["bundle"]["version"] == "1.0.0"
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    acts = [line for line in told if line["event"] == "version_floor_lowered"]
    assert [(act["before"], act["version"], act["why"]) for act in acts] == [
        ("1.1.0", "1.0.0", "a colleague doubts it")
    ]


def deny(document: dict[str, Any], *digests: str) -> None:
    policy = Path(document["trust"]["policy"])
    listed = ", ".join(f'"{digest}"' for digest in digests)
    fresh = policy.with_suffix(".new")
    fresh.write_text(re.sub(r"bundle_digests = \[.*\]", f"bundle_digests = [{listed}]", policy.read_text()))
    fresh.replace(policy)


def until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def alarms(server: Server) -> dict[str, str]:
    with urlopen(server.addresses()["ops"] + "/api/status", timeout=10) as response:  # noqa: S310 - this test's own
        return {alarm["subject"]: alarm["alarm"] for alarm in json.load(response)["alarms"]}


def test_what_is_denied_stops_while_it_serves_and_does_not_come_back_while_it_is_denied(
    start: Runs, document: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    server = start()
    beside = {each["name"]: each["bundle"]["sha256"] for each in status(server)["supporting_rules"]}
    first = rules(server)["bundle"]["sha256"]
    deny(document, beside["mews"], beside["lactate"])
    until(lambda: len(alarms(server)) == 2)
    now = {each["name"]: (each["state"], each["reason"]) for each in status(server)["supporting_rules"]}
    assert [name for name, each in now.items() if each == ("REFUSED", "BUNDLE_DENIED")] == ["mews", "lactate"]
    assert rules(server)["state"] == "SERVING"
    deny(document, first)
    until(lambda: rules(server)["state"] == "REFUSED")
    assert rules(server)["reason"] == "BUNDLE_DENIED"
    until(lambda: alarms(server).get(f"{PATHWAY}/rules") == "BUNDLE_DENIED")
    server = start()
    assert (rules(server)["state"], rules(server)["reason"]) == ("REFUSED", "BUNDLE_DENIED")
    deny(document)
    server = start()
    assert rules(server)["state"] == "SERVING"
    Path(document["trust"]["policy"]).write_text("schema = 1\n")
    until(lambda: alarms(server).get("trust policy") == "TRUST_POLICY_UNUSABLE")
    assert rules(server)["state"] == "SERVING"
    start.end()
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events.count("bundle_denied") == 3
    assert events.count("policy_changed") == 3
