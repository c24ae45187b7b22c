"""Schedules from the command line: run very many, shrink what a seed breaks, replay a written schedule."""

import argparse
import os
import sys
from pathlib import Path

from tests.simulation.campaign import REGRESSIONS, Campaign
from tests.simulation.schedule import draw_schedule
from tests.simulation.shrinking import broken_by, shrunk
from tests.simulation.steps import Schedule, read, written


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the schedules of many seeds, on every core")
    run.add_argument("--first", type=int, default=0, help="the first seed")
    run.add_argument("--schedules", type=int, default=1_000_000, help="how many")
    run.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: one for each core")
    run.add_argument("--folder", type=Path, default=REGRESSIONS, help="where findings are written")
    commands.add_parser("shrink", help="print the smallest schedule that breaks the same").add_argument(
        "seed", type=int
    )
    commands.add_parser("replay", help="play a schedule that was written").add_argument("file", type=Path)
    wish = parser.parse_args(arguments)
    if wish.command == "run":
        campaign = Campaign(
            first=wish.first, count=wish.schedules, processes=wish.processes, say=_say, folder=wish.folder
        )
        return 0 if campaign.run() else 1
    if wish.command == "replay":
        return _tell(read(wish.file.read_bytes()), shrink=False)
    return _tell(draw_schedule(wish.seed), shrink=True)


def _tell(schedule: Schedule, *, shrink: bool) -> int:
    broken = broken_by(schedule)
    _say(broken or "every promise holds")
    if broken and shrink:
        _say(written(shrunk(schedule)))
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
