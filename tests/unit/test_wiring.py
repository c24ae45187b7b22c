"""The composition in this process: what is put together serves, and what cannot be put together says why."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import tomli_w

from stepdown import settings
from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.client import Credentials
from stepdown.client.operations import list_tiers
from stepdown.domain.errors import ConfigurationError
from stepdown.wiring import Server
from tests.faults.running_server import ROOT, demo_settings

SPOILT = ("lactate", "qsofa")


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """Settings for a server of this process, over copies of the rule bundles and none of the models."""
    shutil.copytree(ROOT / "fallback_rules", tmp_path / "fallback_rules")
    (tmp_path / "models").mkdir()
    return demo_settings(ensure_demo_pki(tmp_path / "certificates"))


def composed(folder: Path, document: dict[str, Any]) -> Server:
    path = folder / "stepdown.toml"
    path.write_bytes(tomli_w.dumps(document).encode())
    return Server(settings.load(path))


@pytest.fixture
def rules_only(tmp_path: Path, document: dict[str, Any]) -> Iterator[Server]:
    server = composed(tmp_path, document)
    server.start()
    yield server
    server.stop()


def status(server: Server) -> dict[str, Any]:
    with urlopen(server.addresses()["ops"] + "/api/status", timeout=10) as response:  # noqa: S310 - this test's own
        pathway: dict[str, Any] = json.load(response)["pathways"][0]
    return pathway


def test_without_models_the_rules_serve_and_each_missing_tier_says_why(rules_only: Server) -> None:
    pathway = status(rules_only)
    assert pathway["capability"] == "RULES_ONLY"
    tiers = {tier["name"]: tier for tier in pathway["tiers"]}
    assert tiers["rules"]["state"] == "SERVING"
    assert {tiers[name]["reason"] for name in ("full", "distilled")} == {"NOT_CONFIGURED"}
    with urlopen(rules_only.addresses()["ops"] + "/metrics", timeout=10) as response:  # noqa: S310
        assert b"stepdown_build_info" in response.read()


def test_spoilt_rule_bundles_are_refused_one_by_one(tmp_path: Path, document: dict[str, Any]) -> None:
    for name in SPOILT:
        (tmp_path / "fallback_rules" / name / "1.0.0" / "rules.toml").write_text("# nothing\n")
    server = composed(tmp_path, document)
    server.start()
    try:
        pathway = status(server)
        rules = pathway["tiers"][-1]
        assert (rules["state"], rules["reason"]) == ("SERVING", None)
        beside = {each["name"]: (each["state"], each["reason"]) for each in pathway["supporting_rules"]}
        refused = ("REFUSED", "SIGNATURE_INVALID")
        assert beside == {each: refused if each in SPOILT else ("SERVING", None) for each in beside}
        assert set(beside) == {"lactate", "qsofa", "sirs", "mews", "shock-index"}
    finally:
        server.stop()


def test_a_policy_that_cannot_be_read_is_a_configuration_problem(tmp_path: Path, document: dict[str, Any]) -> None:
    policy = tmp_path / "trust.toml"
    policy.write_text("schema = 1\n")
    document["trust"]["policy"] = str(policy)
    with pytest.raises(ConfigurationError, match=r"trust\.policy"):
        composed(tmp_path, document)


def test_a_port_that_is_taken_is_a_configuration_problem(
    tmp_path: Path, document: dict[str, Any], rules_only: Server
) -> None:
    document["server"]["grpc_address"] = rules_only.addresses()["grpc"]
    with pytest.raises(ConfigurationError, match="in use"):
        composed(tmp_path, document)


def test_an_operator_reaches_a_server_that_can_answer_nobody(tmp_path: Path, document: dict[str, Any]) -> None:
    for rules in (tmp_path / "fallback_rules").glob("*/1.0.0/rules.toml"):
        rules.write_text("# nothing\n")
    server = composed(tmp_path, document)
    server.start()
    try:
        assert status(server)["capability"] == "NONE"
        pki = ensure_demo_pki(tmp_path / "certificates")
        operator = Credentials(ca=pki.ca, certificate=pki.operator_cert, key=pki.operator_key)
        (pathway,) = list_tiers(server.addresses()["grpc"], operator)
        assert pathway.capability == "NONE"
    finally:
        server.stop()
