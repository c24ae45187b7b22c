"""Where a demo keeps its state, and how other commands find one that runs."""

import os
from pathlib import Path

READY_FILE = "ready.json"


def default_state_directory() -> Path:
    """Unless told otherwise: the XDG state folder."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "stepdown" / "demo"
