import io
import time
from collections import Counter
from typing import Any

import pytest
from rich.console import Console

from stepdown.cli.incident_view import IncidentView
from stepdown.cli.ward import Tally

BEGUN_S = 1000.0
TALLY = Tally(
    asked=13,
    answers=Counter(full=6, distilled=4, rules=2),
    missed=0,
    slowest_ms=41.6,
    recent=(
        (BEGUN_S + 0.2, "full", 1.0),
        (BEGUN_S + 1.1, "full", 1.0),
        (BEGUN_S + 1.2, "distilled", 1.0),
        (BEGUN_S + 3.0, "rules", 1.0),
        (BEGUN_S + 3.5, "full", 1.0),
        (BEGUN_S + 4.5, "another", 1.0),
    ),
)


def tier(name: str, **changes: object) -> dict[str, Any]:
    return {
        "name": name,
        "state": "SERVING",
        "reason": None,
        "worker_pid": 4711,
        "provider": "CPU",
        "latency_ms": {"p50": 1.25, "p99": 2.5},
        **changes,
    }


def status(capability: str, *tiers: dict[str, Any]) -> dict[str, Any]:
    return {"name": "sepsis-early-warning", "capability": capability, "tiers": tiers or [tier("full")]}


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> IncidentView:
    with monkeypatch.context() as stopped:
        stopped.setattr(time, "monotonic", lambda: BEGUN_S)
        return IncidentView()


def drawn(view: IncidentView, seen: dict[str, Any], tally: Tally = TALLY) -> list[str]:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(view.render(seen, tally))
    return console.export_text().splitlines()


def test_each_second_shows_the_lowest_tier_that_answered_in_it(view: IncidentView) -> None:
    line = next(line for line in drawn(view, status("FULL")) if line.startswith("│ █"))
    assert line.removeprefix("│ ").rstrip("│ ") == "█▓ ░█"


def test_the_chain_shows_each_tier_and_why_it_does_not_serve(view: IncidentView) -> None:
    lost = tier(
        "full", state="SUSPENDED", reason="WORKER_LOST", worker_pid=None, provider=None, latency_ms={"p50": None}
    )
    lines = drawn(view, status("DEGRADED", lost, tier("distilled")))
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│ ")]
    assert cells[0] == ["full", "SUSPENDED", "WORKER_LOST", "-", "-", "-"]
    assert cells[1] == ["distilled", "SERVING", "", "4711", "CPU", "1.2"]
    assert any("sepsis-early-warning: DEGRADED" in line for line in lines)


def test_what_was_done_and_what_the_pathway_said_of_it_is_told_in_order(view: IncidentView) -> None:
    view.saw(0.0, status("FULL"))
    view.saw(0.1, status("FULL"))
    view.happened(8.0, "the full tier's worker is killed")
    view.saw(8.1, status("DEGRADED"))
    told = [line.strip("│ ") for line in drawn(view, status("DEGRADED")) if " s  " in line]
    assert told == [
        "0.0 s  the pathway says: FULL",
        "8.0 s  the full tier's worker is killed",
        "8.1 s  the pathway says: DEGRADED",
    ]


def test_answers_and_those_missed_are_counted(view: IncidentView) -> None:
    assert drawn(view, status("FULL"))[-1].strip() == "asked 13   answered: full 6  distilled 4  rules 2   missed 0"


@pytest.mark.parametrize(
    ("missed", "capable", "end"),
    [
        (0, True, "[green]0 missed[/green]; slowest 42 ms; full capability is back"),
        (1, False, "[red]1 missed[/red]; slowest 42 ms; [red]full capability did not come back[/red]"),
    ],
)
def test_the_verdict_is_what_was_counted(view: IncidentView, missed: int, capable: bool, end: str) -> None:
    tally = Tally(asked=13, answers=TALLY.answers, missed=missed, slowest_ms=41.6)
    said = view.verdict(tally, capable=capable)
    assert said == f"13 asked, 12 answered (6 by full, 4 by distilled, 2 by rules), {end}"
