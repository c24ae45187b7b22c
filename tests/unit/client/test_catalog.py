from pathlib import Path

import pytest

from stepdown.client import AssessmentError
from stepdown.client.catalog import model_card
from stepdown.domain.card import HTI1_ATTRIBUTES
from tests.unit.client.servers import credentials
from tests.unit.transport.grpc_side import grpc_side


def test_a_card_is_read_section_by_section(tmp_path: Path) -> None:
    with grpc_side() as side:
        card = model_card(side.listener.address, credentials(tmp_path), bundle="sepsis-full")
    assert dict(card["bundle"]) == {
        "Name": "sepsis-full",
        "Version": "1.0.0",
        "SHA-256": "ab" * 32,
        "Signed by": "demo-signer",
    }
    assert len(card["hti1"]) == len(HTI1_ATTRIBUTES) == 31
    assert card.keys() == {"bundle", "provenance", "hti1", "evidence", "chai"}


def test_a_bundle_that_is_not_in_service_has_no_card(tmp_path: Path) -> None:
    with grpc_side() as side, pytest.raises(AssessmentError) as refused:
        model_card(side.listener.address, credentials(tmp_path), bundle="sepsis-full", version="9.9.9")
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "BUNDLE_UNKNOWN")
