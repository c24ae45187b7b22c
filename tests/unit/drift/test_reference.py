"""What of a `reference.json` is accepted, and what the refusal of the rest says."""

import json
from typing import Any

import pytest

from stepdown.cli.bundle.draft import draft_reference
from stepdown.domain.errors import DriftReferenceError
from stepdown.drift.reference import parse_reference
from tests.fakes.drift_references import document, reference

HR = document()["channels"]["HR"]


def test_a_whole_reference_is_read() -> None:
    whole = reference()
    assert (whole.rows, whole.encounters) == (1000, 500)
    assert whole.channels["Lactate"].missing == 500
    assert whole.channels["HR"].value.total == 1000
    assert whole.bands["HIGH"] == 50


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schema": "stepdown/reference/v1"}, "schema"),
        ({"rows": -1}, "rows"),
        ({"rows": True}, "rows"),
        ({"encounters": 1.5}, "encounters"),
        ({"channels": []}, "channels"),
        ({"channels": {"HR": 3}}, "channels.HR"),
        ({"channels": {"HR": HR | {"edges": None}}}, "channels.HR.edges"),
        ({"channels": {"HR": HR | {"edges": ["a"] * 9}}}, "channels.HR.edges"),
        ({"channels": {"HR": HR | {"edges": [float("inf")] * 9}}}, "channels.HR.edges"),
        ({"channels": {"HR": HR | {"edges": [5.0] * 9}}}, "channels.HR.edges"),
        ({"channels": {"HR": HR | {"counts": [1000]}}}, "channels.HR.counts"),
        ({"channels": {"HR": HR | {"counts": [-1, *[100] * 9]}}}, "channels.HR.counts"),
        ({"channels": {"HR": HR | {"missing": 7}}}, "channels.HR"),
        ({"channels": {"HR": HR | {"age_h": {"edges": [], "counts": [3]}}}}, "channels.HR.age_h"),
        ({"score": {"edges": [float(edge) for edge in range(17)], "counts": [1] * 18}}, "score.counts"),
        ({"bands": {"LOW": "many"}}, "bands.LOW"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DriftReferenceError) as refusal:
        reference(**changes)
    assert refusal.value.field == field
    assert field in str(refusal.value)


def test_the_reference_of_a_draft_is_empty() -> None:
    assert parse_reference(draft_reference().encode()).is_empty
    assert not reference().is_empty


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[]"])
def test_what_is_not_an_object_is_refused(content: bytes) -> None:
    with pytest.raises(DriftReferenceError, match="document"):
        parse_reference(content)


def test_no_value_of_the_document_is_quoted() -> None:
    broken = json.dumps(document(rows=-1, schema="secret-41.7")).encode()
    with pytest.raises(DriftReferenceError) as refusal:
        parse_reference(broken)
    assert "secret" not in str(refusal.value)
