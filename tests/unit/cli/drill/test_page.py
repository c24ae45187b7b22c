"""The page that is filed: it says the verdict, draws every question, and loads nothing."""

import re
from html.parser import HTMLParser

from stepdown.cli.drill.page import drill_page
from stepdown.cli.drill.plan import Drill, LoadPlan, Objectives
from stepdown.cli.drill.record import DrillRecord
from stepdown.cli.drill.verdict import judge, measure
from stepdown.domain.drills import InjectableFault
from tests.unit.cli.drill.drill_records import ASKED, record

DRILL = Drill(
    about="A <test> & more.",
    fault=InjectableFault.OUTPUT_WRONG,
    tier="full",
    duration_s=5,
    objectives=Objectives(detected_ms=20, back_s=2),
)


def page(seen: DrillRecord) -> str:
    measures = measure(seen, doubt=True)
    return drill_page("output-wrong", DRILL, LoadPlan(), seen, measures, judge(measures, DRILL.objectives))


class Balance(HTMLParser):
    """Counts what is opened and not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed in itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_question_is_a_dot_and_the_verdict_stands_on_top() -> None:
    text = page(record())
    assert '<span class="good">met</span>' in text
    assert len(re.findall(r'<circle [^>]*r="2"', text)) == len(ASKED)
    assert "A &lt;test&gt; &amp; more." in text
    assert "full SUSPENDED" in text
    balance = Balance()
    balance.feed(text)
    assert balance.open == []


def test_nothing_is_loaded_from_anywhere() -> None:
    assert not re.search(r"https?:|<script|<link|<img|url\(|@import|src=", page(record()))


def test_a_drill_in_which_nothing_was_asked_and_nothing_came_back_still_has_a_page() -> None:
    text = page(record(asked=(), moves=()))
    assert "NOT MET" in text
    assert "did not happen" in text


def test_answers_in_doubt_are_listed() -> None:
    seen = record(moves=())
    assert "<code>r2.5</code>" in page(seen)
    assert "by request id" not in page(record())
