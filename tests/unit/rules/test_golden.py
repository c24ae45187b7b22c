"""Rules asked their known answers again: any table that changed in memory shows, and whole ones never do."""

from dataclasses import replace

import pytest

from stepdown.domain.bands import Band
from stepdown.rules.composite import Composite
from stepdown.rules.golden import ProvenRules, proven
from stepdown.rules.known_answers import KnownAnswer, parse_known_answers
from stepdown.rules.rule_set import parse_rule_set
from stepdown.rules.sum_rule import SumRule
from tests.unit.rules.rule_bundles import FALLBACK_RULES, VERSION, rule_set, text

SETS = ("news2", "lactate", "qsofa", "sirs", "mews", "shock-index")


def known() -> dict[str, tuple[KnownAnswer, ...]]:
    return {
        f"{name}@{VERSION}": parse_known_answers((FALLBACK_RULES / name / VERSION / "known_answers.json").read_bytes())
        for name in SETS
    }


def rules(*, lactate: bool = True) -> ProvenRules:
    """A copy of its own, to be damaged."""
    fresh = {name: parse_rule_set(text(name), rule_set_id=f"{name}@{VERSION}") for name in SETS}
    composite = Composite(
        answering=fresh["news2"],
        lactate=fresh["lactate"] if lactate else None,
        supporting=(fresh["qsofa"], fresh["shock-index"]),
    )
    return proven(composite, known())


def damaged(target: object, **fields: object) -> None:
    """What a stray write does to frozen values."""
    for name, value in fields.items():
        object.__setattr__(target, name, value)


def errors(of: ProvenRules) -> list[str]:
    return [error for error in of.review() if error]


@pytest.mark.parametrize("lactate", [True, False])
def test_whole_rules_give_every_known_answer_again(lactate: bool) -> None:
    whole = rules(lactate=lactate)
    assert len(whole.cases) >= len(known()["news2@1.0.0"]) + len(known()["qsofa@1.0.0"])
    assert errors(whole) == []


def test_a_changed_table_of_the_answering_rules_shows_with_the_case_and_the_field() -> None:
    broken = rules()
    answering = broken.composite.answering.rule
    assert isinstance(answering, SumRule)
    damaged(answering, rows=answering.rows[1:])
    assert "news2@1.0.0: " in errors(broken)[0]
    assert "answering" in errors(broken)[0]


def test_every_row_of_the_answering_rules_is_under_proof() -> None:
    broken = rules()
    answering = broken.composite.answering.rule
    assert isinstance(answering, SumRule)
    rows = answering.rows
    for place in range(len(rows)):
        damaged(answering, rows=rows[:place] + rows[place + 1 :])
        assert errors(broken), f"row {place}"


def test_an_overlay_that_no_longer_raises_the_band_shows() -> None:
    for place in range(len(rule_set("news2").overlays)):
        broken = rules()
        overlays = broken.composite.answering.overlays
        damaged(broken.composite.answering, overlays=overlays[:place] + overlays[place + 1 :])
        assert any("band" in error for error in errors(broken))


def test_an_overlay_that_acts_too_early_or_too_late_shows() -> None:
    for shift in (-1, 1):
        broken = rules()
        moved = tuple(
            each.model_copy(update={"total_at_least": each.total_at_least + shift}) if each.total_at_least else each
            for each in broken.composite.answering.overlays
        )
        damaged(broken.composite.answering, overlays=moved)
        assert any("band" in error for error in errors(broken)), shift


def test_damaged_evidence_and_a_changed_advice_show() -> None:
    broken = rules()
    qsofa = broken.composite.supporting[0].rule
    assert isinstance(qsofa, SumRule)
    damaged(qsofa, rows=qsofa.rows[1:])
    assert any(error.startswith("qsofa@1.0.0: ") for error in errors(broken))
    broken = rules()
    responses = tuple(
        replace(each, text="all is well") if each.band is Band.HIGH else each
        for each in broken.composite.answering.responses
    )
    damaged(broken.composite.answering, responses=responses)
    assert any("response" in error for error in errors(broken))


def test_rules_whose_known_answers_nobody_gave_have_nothing_to_prove() -> None:
    assert proven(rules().composite, {}).cases == ()
