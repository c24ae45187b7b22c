"""Say how much of each room the tests reach, and refuse a room below its floor.

The rooms that only decide must be reached whole, every branch of them; the rooms that act, and the whole, by nine
tenths. It reads the report of `coverage json` and measures nothing itself.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "server/stepdown/"
PURE = frozenset(
    {"clinical", "domain", "drift", "ledger", "ports.py", "resilience", "rules", "serving", "trust"},
)
PURE_FLOOR_PERCENT = 100.0
FLOOR_PERCENT = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Lines and branches of one room: how many there are, and how many the tests took."""

    room: str
    covered: int
    total: int

    @property
    def percent(self) -> float:
        """Lines and branches taken, as coverage.py counts them; a room with none is whole."""
        return 100.0 * self.covered / self.total if self.total else 100.0

    @property
    def floor_percent(self) -> float:
        """The least that is enough for this room."""
        return PURE_FLOOR_PERCENT if self.room in PURE else FLOOR_PERCENT

    @property
    def enough(self) -> bool:
        """Whether the room stands on or above its floor. Compared in whole counts: 99.99 is not 100."""
        return self.covered * 100 >= self.floor_percent * self.total


def by_room(report: dict[str, Any]) -> list[Reach]:
    """Sum the report's files by the first name below the package, with the whole at the end."""
    covered: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path, figures in report["files"].items():
        summary = figures["summary"]
        for room in (path.removeprefix(PACKAGE).split("/")[0], "everything"):
            covered[room] += summary["covered_lines"] + summary.get("covered_branches", 0)
            total[room] += summary["num_statements"] + summary.get("num_branches", 0)
    return sorted(
        (Reach(room=room, covered=covered[room], total=count) for room, count in total.items()),
        key=lambda reach: (reach.room == "everything", reach.room),
    )


def main(arguments: list[str]) -> int:
    """Print one line for each room of the report named on the command line."""
    rooms = by_room(json.loads(Path(arguments[0]).read_text()))
    for reach in rooms:
        verdict = "" if reach.enough else "  BELOW ITS FLOOR"
        print(
            f"{reach.room:<14} {reach.percent:6.2f} % of {reach.total:>5}  (floor {reach.floor_percent:.0f} %){verdict}"
        )
    return 0 if rooms and all(reach.enough for reach in rooms) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
