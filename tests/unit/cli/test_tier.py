import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepdown.cli.tier import tier
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability, TierState
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status
from tests.unit.cli.served import served
from tests.unit.client.servers import credentials
from tests.unit.transport.grpc_side import GrpcSide


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GrpcSide]:
    """A server asked by an operator."""
    monkeypatch.setenv("COLUMNS", "80")
    with served(tmp_path, monkeypatch) as serving:
        files = credentials(tmp_path, role="operator")
        monkeypatch.setenv("STEPDOWN_CERT", str(files.certificate))
        lost = suspended_tier(detail="ended by signal 9 [kill]")
        serving.chain.move(pathway_status(lost, tier_status(name="distilled"), capability=Capability.DEGRADED))
        yield serving


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tier, arguments)


def cells(result: Result) -> list[list[str]]:
    lines = [line.strip("│").split("│") for line in result.output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


@pytest.mark.usefixtures("side")
def test_the_list_says_of_every_tier_how_it_is_and_why() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert f"{PATHWAY}: DEGRADED" in result.output
    assert cells(result) == [
        ["full", "SUSPENDED", "-", "-", "1", "WORKER_LOST: ended by"],
        ["", "", "", "", "", "signal 9 [kill]"],
        ["distilled", "SERVING", "4711", "CPU", "1", ""],
    ]


@pytest.mark.usefixtures("side")
def test_json_holds_what_the_table_has_no_room_for() -> None:
    (pathway,) = json.loads(run("list", "--json").output)
    assert (pathway["pathway"], pathway["capability"]) == (PATHWAY, "DEGRADED")
    assert pathway["tiers"][1] == {
        "tier": "distilled",
        "state": "SERVING",
        "reason": "",
        "detail": "",
        "worker_pid": 4711,
        "provider": "CPU",
        "device": "AMD EPYC",
        "bundle": "sepsis-full 1.0.0",
        "sha256": "ab" * 32,
        "latency_p50_ms": 1.5,
        "restarts": 1,
        "answers": 99,
    }
    assert (pathway["tiers"][0]["worker_pid"], pathway["tiers"][0]["bundle"]) == (None, "")


def test_a_tier_is_taken_out_with_a_reason_and_given_back(side: GrpcSide) -> None:
    assert run("disable", PATHWAY, "distilled", "--why", "maintenance").output == "distilled: DISABLED\n"
    assert side.chain.operator_details == ["spiffe://stepdown.demo/operator/test: maintenance"]
    assert json.loads(run("enable", PATHWAY, "distilled", "--json").output)["state"] == "STARTING"
    assert side.chain.status()[0].tiers[1].state is TierState.STARTING


def test_the_reason_of_a_state_is_told_with_it(side: GrpcSide, monkeypatch: pytest.MonkeyPatch) -> None:
    def enable(pathway: str, name: str) -> None:
        (held,) = side.chain.status()
        starting = replace(held.tiers[0], state=TierState.STARTING, reason=Reason.STARTING)
        side.chain.move(replace(held, tiers=(starting, *held.tiers[1:])))
        assert (pathway, name) == (PATHWAY, "full")

    monkeypatch.setattr(side.chain, "enable_tier", enable)
    assert run("enable", PATHWAY, "full").output == "full: STARTING (STARTING)\n"


@pytest.mark.usefixtures("side")
def test_a_tier_is_never_taken_out_without_a_word() -> None:
    assert run("disable", PATHWAY, "full").exit_code == 2
    result = run("disable", PATHWAY, "full", "--why", " ")
    assert result.exit_code == 1
    assert "DETAIL_REQUIRED" in result.output


@pytest.mark.usefixtures("side")
@pytest.mark.parametrize("command", [("enable",), ("disable", "--why", "drill")])
def test_an_unknown_tier_ends_the_command(command: tuple[str, ...]) -> None:
    result = run(command[0], PATHWAY, "half", *command[1:])
    assert result.exit_code == 1
    assert result.output.startswith("Error: NOT_FOUND TIER_UNKNOWN: ")


@pytest.mark.usefixtures("side")
def test_whoever_is_no_operator_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPDOWN_CERT", str(credentials(tmp_path, role="viewer").certificate))
    assert run("list").exit_code == 0
    result = run("enable", PATHWAY, "full")
    assert result.exit_code == 1
    assert "PERMISSION_DENIED" in result.output


def test_a_tier_belongs_to_one_server(side: GrpcSide) -> None:
    result = run("list", "--address", f"{side.listener.address},{side.listener.address}")
    assert result.exit_code == 2
    assert "tiers belong to one server: give one address" in result.output


def test_a_server_that_is_not_there_ends_the_command(side: GrpcSide) -> None:
    side.listener.drain(0.1)
    result = run("list")
    assert result.exit_code == 1
    assert "Error: UNAVAILABLE" in result.output
