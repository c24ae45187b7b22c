"""The page that is filed: it says the verdict, draws every question, and loads nothing."""

import io
import re
from html.parser import HTMLParser

from rich.console import Console

from stepdown.cli.drill.page import rehearsal_page
from stepdown.cli.drill.plan import Drill, LoadPlan, Objectives
from stepdown.cli.drill.record import DrillRecord
from stepdown.cli.drill.result import Played, Rehearsal, Result, rehearsal_json
from stepdown.cli.drill.terminal import show_result, show_summary
from stepdown.cli.drill.verdict import judge, measure
from stepdown.domain.drills import InjectableFault
from tests.unit.cli.drill.drill_records import ASKED, FAULT_S, asked, record

DRILL = Drill(
    about="A <test> & more.",
    fault=InjectableFault.OUTPUT_WRONG,
    tier="full",
    duration_s=5,
    objectives=Objectives(detected_ms=20, back_s=2),
)


def result(seen: DrillRecord) -> Result:
    measures = measure(seen, lies=True)
    played = Played(record=seen, measures=measures, findings=judge(measures, DRILL.objectives))
    return Result(name="output-wrong", drill=DRILL, played=played)


def rehearsal(*results: Result) -> Rehearsal:
    return Rehearsal(
        address="127.0.0.1:8443",
        pathway="sepsis-early-warning",
        begun_s=FAULT_S,
        load=LoadPlan(),
        tiers=(),
        results=results,
    )


def page(seen: DrillRecord) -> str:
    return rehearsal_page(rehearsal(result(seen)))


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


def test_wrong_answers_are_listed_and_so_is_what_came_instead_of_one() -> None:
    seen = page(record(asked=(asked(0.1, wrong=True), asked(0.2, tier="", failure="UNAVAILABLE x"))))
    assert "<code>r0.1</code>" in seen
    assert "UNAVAILABLE x" in seen
    assert "by request id" not in page(record())


def test_several_drills_share_a_page_whose_verdict_is_the_worst_and_end_with_its_code() -> None:
    met, missed = result(record()), result(record(moves=()))
    unplayed = Result(name="clock-ahead", drill=DRILL, played=None, problem="a tier does not serve")
    both = rehearsal(met, missed)
    text = rehearsal_page(both)
    assert "Rehearsal of 2 drills: " in text
    assert '<h1>Rehearsal of 2 drills: <span class="bad">NOT MET</span></h1>' in text
    assert (rehearsal(met).exit_code, both.exit_code, rehearsal(met, missed, unplayed).exit_code) == (0, 1, 2)
    assert "a tier does not serve" in rehearsal_page(rehearsal(met, unplayed))
    assert rehearsal().exit_code == 2
    bodies = rehearsal_json(rehearsal(met, unplayed))
    assert bodies["met"] is False
    assert rehearsal_json(rehearsal(unplayed)) == {
        "drill": "clock-ahead",
        "fault": "OUTPUT_WRONG",
        "tier": "full",
        "met": None,
        "problem": "a tier does not serve",
    }


def test_the_terminal_shows_each_drill_and_a_line_for_each() -> None:
    unplayed = Result(name="clock-ahead", drill=DRILL, played=None, problem="a tier does not serve")
    odd = result(record(asked=(asked(0.1, wrong=True), asked(0.2, tier="", failure="GONE", sent_s=FAULT_S + 1.0))))
    console = Console(file=io.StringIO(), width=200)
    for each in (odd, unplayed):
        show_result(each, console)
    show_summary(rehearsal(odd, unplayed), console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for text in ("1 without an answer: GONE", "1 wrong answers", "sent more than 50 ms late", "NOT PLAYED", "NOT MET"):
        assert text in shown
