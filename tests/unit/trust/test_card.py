"""Cards that disclose every source attribute, and those that leave one out."""

import pytest

from stepdown.domain.card import CHAI_FIELDS, EVIDENCE_ATTRIBUTES, HTI1_ATTRIBUTES, NOT_AVAILABLE
from stepdown.domain.errors import TrustError
from stepdown.trust.card import parse_card
from tests.unit.trust.samples import CARD


def test_the_attributes_are_those_of_the_rule_in_its_order() -> None:
    assert [attribute.clause.rpartition("(B)")[2] for attribute in HTI1_ATTRIBUTES] == [
        f"({number}){part}"
        for number, count in ((1, 4), (2, 4), (3, 2), (4, 4), (5, 2), (6, 4), (7, 5), (8, 4), (9, 2))
        for part in ("(i)", "(ii)", "(iii)", "(iv)", "(v)")[:count]
    ]
    assert len(EVIDENCE_ATTRIBUTES) == 13


@pytest.mark.parametrize("attributes", [HTI1_ATTRIBUTES, CHAI_FIELDS, EVIDENCE_ATTRIBUTES])
def test_keys_are_said_once(attributes: tuple[object, ...]) -> None:
    keys = [attribute.key for attribute in attributes]  # type: ignore[attr-defined]
    assert len(set(keys)) == len(keys)


def test_what_is_left_out_of_the_other_tables_is_not_available() -> None:
    card = parse_card((CARD + '[chai]\nmodel_name = "NEWS2"\n[evidence]\ncitation = "RCP 2017"\n').encode())
    assert list(card.hti1) == [attribute.key for attribute in HTI1_ATTRIBUTES]
    assert (card.chai["model_name"], card.chai["developer"]) == ("NEWS2", NOT_AVAILABLE)
    assert (card.evidence["citation"], card.evidence["race"]) == ("RCP 2017", NOT_AVAILABLE)


def test_a_model_has_no_evidence_table() -> None:
    card = parse_card(CARD.encode())
    assert card.evidence == {}
    assert set(card.chai.values()) == {NOT_AVAILABLE}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CARD.replace('intended_use = "not available"\n', ""), "hti1.intended_use is absent"),
        (CARD.replace('intended_use = "not available"', 'intended_use = ""'), "hti1.intended_use is ''"),
        (CARD + 'mood = "good"\n', "hti1.mood is not a known key"),
        (CARD + "[chai]\nsummary = 3\n", "chai.summary is '3'"),
        (CARD + "[other]\n", "other is not a known key"),
        ("", "hti1 is absent"),
        ("[", "not TOML"),
    ],
)
def test_an_incomplete_card_is_refused(text: str, problem: str) -> None:
    with pytest.raises(TrustError) as refused:
        parse_card(text.encode())
    assert refused.value.rule == "CARD_INVALID"
    assert problem in refused.value.detail
