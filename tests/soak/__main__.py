"""`python -m tests.soak --minutes 60`: soak a server, print the verdict, write all of it to a file.

Exit code 0: passed. 1: something was lost, mislabelled, or grew.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.soak.soak import SoakPlan, SoakReport, soak


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the report and every sample to this file")
    asked = parser.parse_args()
    report = soak(SoakPlan(duration_s=asked.minutes * 60, seed=asked.seed), tell=_tell)
    _print(Console(), report)
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report.as_json()), "utf-8")
    return 0 if report.passed else 1


def _tell(what: str) -> None:
    sys.stderr.write(what + "\n")


def _print(console: Console, report: SoakReport) -> None:
    verdict = "passed" if report.passed else "NOT PASSED"
    table = Table("asked", "found", "allowed", "", title=f"soak of {report.plan.duration_s / 60:g} min: {verdict}")
    for finding in report.findings:
        found = f"{finding.found:,.0f}" + (f" ({finding.detail})" if finding.detail else "")
        table.add_row(finding.what, found, f"{finding.allowed:,.0f}", "met" if finding.met else "[red]NOT MET[/red]")
    happened = Table("what happened", "times")
    for what, times in (*sorted(report.counts.items()), *sorted(report.acts.items())):
        happened.add_row(what, f"{times:,}")
    console.print(table, happened)
    for problem in report.problems:
        console.print(problem, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
