import re

import pytest

from stepdown.rules.markdown import render_table
from stepdown.rules.rule_set import parse_rule_set
from tests.unit.rules.rule_bundles import NAMES, rule_set
from tests.unit.rules.rule_text import QUOTIENT, SUM


def lines(name: str) -> list[str]:
    return render_table(rule_set(name)).splitlines()


def row(name: str, start: str) -> list[str]:
    (line,) = (line for line in lines(name) if line.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_news2_is_laid_out_as_the_published_chart() -> None:
    assert row("news2", "| Parameter")[1:8] == ["3", "2", "1", "0", "1", "2", "3"]
    assert row("news2", "| **Pulse**")[1:8] == ["≤40", "", "41-50", "51-90", "91-110", "111-130", "≥131"]
    assert row("news2", "| **Temperature**")[1:8] == ["≤35.0", "", "35.1-36.0", "36.1-38.0", "38.1-39.0", "≥39.1", ""]
    assert row("news2", "| **Consciousness**, `Consciousness`")[4:8] == ["A", "", "", "C, V, P, U"]
    assert row("news2", "| **Air or oxygen**")[4:7] == ["air (≤0)", "", "oxygen (≥1)"]


def test_columns_that_no_row_uses_are_left_out() -> None:
    assert row("sirs", "| Parameter") == ["Parameter", "1", "0", "1", "Missing counts", "Source"]


def test_strict_limits_are_shown_as_strict() -> None:
    assert row("sirs", "| **Temperature**")[1:4] == ["\\<36.0", "36.0-38.0", ">38.0"]


def test_verdicts_stand_in_the_order_of_their_bands() -> None:
    bands = [line.split("|")[2].strip() for line in lines("news2") if re.match(r"\| (\d|undecided)", line)]
    assert bands == ["LOW", "LOW", "LOW_MEDIUM", "MEDIUM", "HIGH", "INDETERMINATE"]


def test_what_is_special_about_a_score_is_said() -> None:
    mews, news2 = render_table(rule_set("mews")), render_table(rule_set("news2"))
    assert "code C counts as missing, because new confusion is not in Subbe 2001." in mews
    assert "`lactate` classified `raised` makes the answer HIGH where the least possible total is 5 or more" in news2
    assert "A least possible total of 7 or more is a hard trigger" in news2
    assert "the first of these that has a usable reading counts." in news2
    assert "read at most 900 s apart" in render_table(rule_set("shock-index"))


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_a_clinician_must_review_is_on_the_page(name: str) -> None:
    document = rule_set(name).document
    page = render_table(rule_set(name)).replace("\\", "")
    said = [
        *document.scope_limits,
        *document.notes,
        *(citation.text for citation in document.citation),
        *(outcome.response for outcome in document.outcome),
        document.undetermined.response,
        document.source.identifier,
        rule_set(name).rule_set_id,
    ]
    assert [text for text in said if text not in page] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_rectangular(name: str) -> None:
    widths: list[int] = []
    for line in [*lines(name), ""]:
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(set(widths)) <= 1
            widths = []


def test_a_row_that_always_earns_something_is_laid_out_around_its_fewest_points() -> None:
    start, end = SUM.index('title = "Saturation"'), SUM.index('title = "Oxygen"')
    always = SUM[start:end].replace("points = 0", "points = 1").replace("minimum = 0", "minimum = 1")
    text = (SUM[:start] + always + SUM[end:]).replace("at_least = 0\nat_most = 4", "at_least = 1\nat_most = 4")
    page = render_table(parse_rule_set(text.encode(), rule_set_id="sample@1"))
    header, *rows = [line.split(" | ") for line in page.splitlines() if line.startswith(("| Parameter", "| **Sat"))]
    on_oxygen = dict(zip(enumerate(header), rows[-1], strict=True))
    charted = [(points, cell) for (_, points), cell in on_oxygen.items() if points.isdigit() and cell]
    assert charted == [("3", "≤87"), ("1", "88-92"), ("3", "≥93")]


def test_a_text_of_the_rules_cannot_break_out_of_its_cell() -> None:
    text = SUM.replace('response = "Wait."', 'response = "a | b <script> *c* `d` [e](f)"')
    page = render_table(parse_rule_set(text.encode(), rule_set_id="sample@1"))
    assert r"a \| b \<script> \*c\* \`d\` \[e\](f)" in page


def test_a_rule_set_with_neither_notes_nor_overlays_renders_without_empty_sections() -> None:
    page = render_table(parse_rule_set(QUOTIENT.encode(), rule_set_id="ratio@1"))
    assert "## Notes" not in page
    assert "\n\n\n" not in page
    assert "| >0.5 | HIGH |" in page
