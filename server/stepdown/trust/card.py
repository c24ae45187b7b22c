"""Reading `card.toml`, the disclosure that travels inside the signed bundle.

Refuses a card that leaves out one of the HTI-1 source attributes: what is not known must say "not available", so that
leaving it out is a decision somebody signed. Refuses to judge what an attribute says.
"""

from stepdown.domain.card import (
    CHAI_FIELDS,
    EVIDENCE_ATTRIBUTES,
    HTI1_ATTRIBUTES,
    NOT_AVAILABLE,
    CardAttribute,
    ModelCard,
)
from stepdown.domain.errors import TrustError
from stepdown.trust.documents import parse_toml
from stepdown.trust.fields import Fields
from stepdown.trust.refusal import TrustRule

CARD_FILE = "card.toml"
MAXIMUM_BYTES = 256 * 1024


def parse_card(text: bytes) -> ModelCard:
    """The card, complete and in order. Raises: TrustError CARD_INVALID with every problem found."""
    table = parse_toml(text, rule=TrustRule.CARD_INVALID, what=CARD_FILE, maximum_bytes=MAXIMUM_BYTES)
    problems: list[str] = []
    fields = Fields(table, where="", problems=problems)
    hti1 = _read(fields.table("hti1"), HTI1_ATTRIBUTES, absent=None)
    chai = (
        _read(fields.table("chai"), CHAI_FIELDS, absent=NOT_AVAILABLE)
        if fields.holds("chai")
        else _unknown(CHAI_FIELDS)
    )
    evidence: dict[str, str] = {}
    if fields.holds("evidence"):
        evidence = _read(fields.table("evidence"), EVIDENCE_ATTRIBUTES, absent=NOT_AVAILABLE)
    fields.finish()
    if problems:
        raise TrustError(rule=TrustRule.CARD_INVALID, detail=f"{CARD_FILE}: " + "; ".join(problems))
    return ModelCard(hti1=hti1, chai=chai, evidence=evidence)


def _read(fields: Fields, attributes: tuple[CardAttribute, ...], *, absent: str | None) -> dict[str, str]:
    wanted = f'text, or "{NOT_AVAILABLE}"'
    return {attribute.key: fields.text(attribute.key, default=absent, wanted=wanted) for attribute in attributes}


def _unknown(attributes: tuple[CardAttribute, ...]) -> dict[str, str]:
    return dict.fromkeys((attribute.key for attribute in attributes), NOT_AVAILABLE)
