"""Where the time of an AssessRisk goes: `python -m bench.profile [--encounters N] [--single]`.

The whole flow of `bench.assess` under cProfile, on one thread, by module and by function. A profiler makes small
functions look dear: the shares show where to look, and `bench.assess` what it costs.
"""

import argparse
import cProfile
import pstats
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

import stepdown
from bench.assess import answered, demo_flow, demo_pathway
from bench.encounters import encounter

SERVER = str(Path(stepdown.__file__).resolve().parent) + "/"
_FUNCTIONS = 30


def main() -> None:
    """Profile and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encounters", type=int, default=512)
    parser.add_argument("--single", action="store_true", help="every measurement as an observation of its own")
    options = parser.parse_args()
    requests = [
        encounter(number, packed=not options.single).SerializeToString() for number in range(options.encounters)
    ]
    flow = demo_flow(demo_pathway())
    profile = cProfile.Profile()
    profile.enable()
    for request in requests:
        answered(flow, (request,))
    profile.disable()
    _print(pstats.Stats(profile))


def _print(stats: pstats.Stats) -> None:
    own_s: dict[str, float] = defaultdict(float)
    functions: list[tuple[float, int, str]] = []
    profiled = stats.get_stats_profile()
    for name, one in profiled.func_profiles.items():
        place = one.file_name.removeprefix(SERVER)
        room = "/".join(place.split("/")[:2]) if place != one.file_name else "libraries and built-in functions"
        own_s[room] += one.tottime
        functions.append((one.tottime, int(one.ncalls.split("/")[0]), f"{place}: {name}" if place != "~" else name))
    total_s = sum(own_s.values())
    rooms = Table("module", "share", title="own time by module")
    for room, seconds in sorted(own_s.items(), key=lambda each: -each[1])[:_FUNCTIONS]:
        rooms.add_row(room, f"{seconds / total_s:.1%}")
    dearest = Table("function", "calls", "share", title="dearest functions")
    for seconds, calls, name in sorted(functions, reverse=True)[:_FUNCTIONS]:
        dearest.add_row(name, str(calls), f"{seconds / total_s:.1%}")
    console = Console(width=120)
    console.print(rooms)
    console.print(dearest)


if __name__ == "__main__":
    main()
