"""The demonstration as its user starts it, with a home of its own, and what a user types beside it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START = ("-m", "stepdown", "demo", "--grpc-port", "0", "--ops-port", "0")
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDemo:
    """What the ready line says, and the home in which other commands find it."""

    ready: dict[str, str]
    home: Path

    @property
    def folder(self) -> Path:
        """Where its certificates lie."""
        return Path(self.ready["ca"]).parent

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python as this user."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, env=_environment(self.home), capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )


@contextmanager
def running_demo() -> Iterator[RunningDemo]:
    """Serve until the test ends."""
    with tempfile.TemporaryDirectory(prefix="stepdown-home-") as name:
        home = Path(name)
        with (home / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *START], env=_environment(home), stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            assert line, (home / "log").read_text()
            yield RunningDemo(ready=json.loads(line), home=home)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            if process.stdout is not None:
                process.stdout.close()


def _environment(home: Path) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "XDG_STATE_HOME" and not name.startswith(("STEPDOWN_", "GRPC_"))
    }
    return {**inherited, "HOME": str(home)}
