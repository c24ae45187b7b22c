"""Refuse a test run in which something was skipped for want of anything that could be had.

Reads the JUnit reports of the run. Continuous integration installs every system package the tests use, so there a skip
means that something was not tested. A GPU is in the machine or not; and whether a process may make a control group is
decided by whoever runs the container.
"""

import ast
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ALLOWED = ("needs a GPU", "needs a control group of its own")
WHOLE_FILE = "collection skipped"


def skips(report: str) -> list[tuple[str, str]]:
    """The name and the reason of every skip: of one test, or of a whole file. An expected failure is not a skip."""
    found = []
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        for skipped in case.iter("skipped"):
            reason = skipped.get("message", "")
            if reason == WHOLE_FILE:  # then the text is a tuple: (file, line, reason)
                reason = ast.literal_eval(skipped.text or "")[2].removeprefix("Skipped: ")
            if skipped.get("type") != "pytest.xfail":
                found.append((f"{case.get('classname')}::{case.get('name')}".removeprefix("::"), reason))
    return found


def main(arguments: list[str]) -> int:
    """Print every skip that is not allowed."""
    skipped = [skip for report in arguments for skip in skips(Path(report).read_text())]
    unexpected = [skip for skip in skipped if not skip[1].startswith(ALLOWED)]
    for name, reason in unexpected:
        print(f"skipped: {name}: {reason or '(no reason given)'}")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
