"""What every drill shows on this machine: `python -m bench.drills [NAME...] [--rate N] [--objectives FILE]`.

A server of the demo chain, the drills played on it by `stepdown drill run` (all, unless some are named), and a table of
their figures against deploy/drills/objectives.toml, as docs/measurements.md keeps it. Exit code: that of the rehearsal.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.running_server import RunningServer, keep_ledger, running_server

_FIGURES = ("lost", "mislabelled", "moves", "detected_ms", "next_tier_ms", "wrong_ms", "back_s", "alarm_ms")
_ONE_PROBLEM = 2


def rehearse(server: RunningServer, names: list[str], options: list[str]) -> "subprocess.CompletedProcess[str]":
    """Play them as an operator does; progress goes to standard error."""
    certificates = server.folder / "certificates"
    who = [
        *("--address", server.ready["grpc"], "--ca", str(certificates / "ca.pem")),
        *("--cert", str(certificates / "client.pem"), "--key", str(certificates / "client.key.pem")),
        *("--operator-cert", str(certificates / "operator.pem")),
        *("--operator-key", str(certificates / "operator.key.pem")),
    ]
    command = [sys.executable, "-m", "stepdown", "drill", "run", *names, "--json", *options, *who]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)


def row(drill: Mapping[str, Any]) -> str:
    """One line of the table; what an objective asked for and did not get is in bold."""
    if drill["met"] is None:
        return f"| `{drill['drill']}` | not played: {drill['problem']} |"
    missed = {finding["objective"] for finding in drill["findings"] if not finding["met"]}
    cells = []
    for name in _FIGURES:
        found = drill["measures"][name]
        text = "" if found is None else f"{found:.3g}"
        cells.append(f"**{text or 'none'}**" if name in missed else text)
    return f"| `{drill['drill']}` | " + " | ".join(cells) + f" | {drill['measures']['sent_late_ms']:.0f} |"


def main() -> int:
    """Rehearse and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=["all"])
    parser.add_argument("--rate", type=float, help="questions a second, instead of the objectives' 200")
    parser.add_argument("--objectives", type=Path, help="another file than the product's own")
    asked = parser.parse_args()
    options = [] if asked.rate is None else ["--rate", str(asked.rate)]
    options += [] if asked.objectives is None else ["--objectives", str(asked.objectives)]
    with running_server(keep_ledger) as server:
        server.until_capable("FULL")
        before = os.getloadavg()[0]
        ended = rehearse(server, asked.names, options)
    if not ended.stdout.startswith("{"):
        return _ONE_PROBLEM
    document = json.loads(ended.stdout)
    print(f"load average {before:.0f} before and {os.getloadavg()[0]:.0f} after, {os.cpu_count()} processors\n")
    print("| drill | " + " | ".join(_FIGURES) + " | sent late, ms |")
    print("|---" * (len(_FIGURES) + 2) + "|")
    for drill in document.get("drills", [document]):
        print(row(drill))
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
