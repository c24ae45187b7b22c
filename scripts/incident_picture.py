"""Plays the demonstration incident and keeps the terminal's last picture of it: docs/pictures/incident.svg."""

import io
import sys

from rich.console import Console

from stepdown.cli.demo import repository
from stepdown.cli.incident import play_incident

WIDTH = 92


def main() -> int:
    """Play, save, and end with 1 if an answer was missed."""
    root = repository()
    incident = play_incident(root / "deploy" / "demo" / "stays", Console())
    paper = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    paper.print(incident.picture)
    paper.save_svg(str(root / "docs" / "pictures" / "incident.svg"), title="stepdown demo --incident")
    return 0 if incident.unharmed else 1


if __name__ == "__main__":
    sys.exit(main())
