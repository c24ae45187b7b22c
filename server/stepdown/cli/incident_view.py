"""What the terminal shows of an incident: the chain, who answers second by second, and what happened."""

import time
from collections import Counter
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from stepdown.cli.ward import Tally

_MARKS = {"full": ("█", "green"), "distilled": ("▓", "yellow"), "rules": ("░", "red")}
_SECONDS = 60


class IncidentView:
    """Keeps the story of an incident and draws it."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._story: list[tuple[float, str]] = []
        self._capability = ""
        self._begun_s = time.monotonic()

    def happened(self, elapsed_s: float, what: str) -> None:
        """Something was done to the server."""
        self._story.append((elapsed_s, f"[bold]{what}[/bold]"))

    def saw(self, elapsed_s: float, status: dict[str, Any]) -> None:
        """The server showed its state; a change of capability is part of the story."""
        if status["capability"] != self._capability:
            self._capability = status["capability"]
            self._story.append((elapsed_s, f"the pathway says: {self._capability}"))

    def render(self, status: dict[str, Any], tally: Tally) -> RenderableType:
        """The whole picture."""
        return Group(_chain(status), self._timeline(tally), self._told(), _counts(tally))

    def verdict(self, tally: Tally, *, capable: bool) -> str:
        """The end of the story."""
        shares = ", ".join(f"{tally.answers[tier]} by {tier}" for tier in _MARKS)
        back = "full capability is back" if capable else "[red]full capability did not come back[/red]"
        missed = f"[green]{tally.missed} missed[/green]" if tally.missed == 0 else f"[red]{tally.missed} missed[/red]"
        answered = sum(tally.answers.values())
        return (
            f"{tally.asked} asked, {answered} answered ({shares}), {missed}; slowest {tally.slowest_ms:.0f} ms; {back}"
        )

    def _timeline(self, tally: Tally) -> Panel:
        line = Text()
        seconds: dict[int, Counter[str]] = {}
        for moment_s, tier, _ in tally.recent:
            seconds.setdefault(int(moment_s - self._begun_s), Counter())[tier] += 1
        for second in range(_SECONDS):
            answered = seconds.get(second)
            if answered is None:
                line.append(" ")
                continue
            # The lowest tier of the second is the news.
            tier = next((tier for tier in reversed(_MARKS) if answered[tier]), "full")
            mark, colour = _MARKS[tier]
            line.append(mark, style=colour)
        legend = "   ".join(f"{mark} {tier}" for tier, (mark, _) in _MARKS.items())
        return Panel(line, title="who answered, second by second (lowest tier of each)", subtitle=legend)

    def _told(self) -> Panel:
        lines = [f"{elapsed_s:5.1f} s  {what}" for elapsed_s, what in self._story[-12:]]
        return Panel("\n".join(lines) or " ", title="what happened")


def _chain(status: dict[str, Any]) -> Table:
    table = Table(
        "tier", "state", "why", "worker", "provider", "p50 ms", title=f"{status['name']}: {status['capability']}"
    )
    for tier in status["tiers"]:
        colour = "green" if tier["state"] == "SERVING" else "red"
        latency = tier["latency_ms"]["p50"]
        table.add_row(
            tier["name"],
            f"[{colour}]{tier['state']}[/{colour}]",
            tier["reason"] or "",
            str(tier["worker_pid"] or "-"),
            tier["provider"] or "-",
            "-" if latency is None else f"{latency:.1f}",
        )
    return table


def _counts(tally: Tally) -> str:
    shares = "  ".join(f"{tier} {tally.answers[tier]}" for tier in _MARKS)
    return f"asked {tally.asked}   answered: {shares}   missed {tally.missed}"
