"""A decision that is written down says when it was taken, what else was possible, and what it costs."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, TEMPLATE, named

FOLDER = ROOT / "docs" / "adr"
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path != TEMPLATE)
HEADINGS = ("## Context and problem", "## Options", "## Decision", "## Consequences", "## Confirmation")


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_every_decision_says_what_it_costs(decision: Path) -> None:
    consequences = decision.read_text(encoding="utf-8").partition("## Consequences")[2]
    assert re.search(r"^- Bad: \S", consequences, re.MULTILINE)


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_every_decision_has_the_shape_of_the_template(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert [heading for heading in HEADINGS if heading not in text] == []
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert text.startswith(f"# {decision.name[:4]}. ")


def test_numbers_are_used_once() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))
