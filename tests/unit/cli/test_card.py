import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepdown.cli.card import card
from tests.unit.cli.served import served


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "120")
    with served(tmp_path, monkeypatch):
        yield


def test_a_card_is_tables_of_what_the_server_discloses() -> None:
    result = CliRunner().invoke(card, ["sepsis-full"])
    assert result.exit_code == 0
    assert "Source attributes (45 CFR 170.315(b)(11)(iv)(B))" in result.output
    assert "Applied model card (CHAI)" in result.output
    assert "demo-signer" in result.output


def test_json_holds_every_attribute() -> None:
    document = json.loads(CliRunner().invoke(card, ["sepsis-full", "--version", "1.0.0", "--json"]).output)
    assert document["bundle"]["Name"] == "sepsis-full"
    assert len(document["hti1"]) == 31


def test_a_bundle_that_is_not_in_service_ends_the_command() -> None:
    result = CliRunner().invoke(card, ["sepsis-half"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: NOT_FOUND BUNDLE_UNKNOWN: ")
