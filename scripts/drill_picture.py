"""Rehearses some drills on a demo of its own and keeps the upper part of the page: docs/pictures/drills.png.

The rate is an argument (questions a second; the file of drills names the usual one). Needs a Chromium to draw with;
without one the picture stays as it is, and that is said.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepdown.cli.demo import repository

SHOWN = ("worker-killed", "worker-stopped", "output-wrong", "signature-broken", "clock-ahead", "network-partition")
WIDTH, HEIGHT = 1120, 1560
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Play, draw, and end with the drills' own exit code."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print("no Chromium here: docs/pictures/drills.png stays as it is")
        return 0
    with tempfile.TemporaryDirectory(prefix="stepdown-picture-") as name:
        folder = Path(name)
        page = folder / "page.html"
        with _demo(folder) as ready:
            code = _drill(ready, page, sys.argv[1:2])
        if page.exists():
            _draw(browser, page, repository() / "docs" / "pictures" / "drills.png")
    return code


@contextmanager
def _demo(folder: Path) -> Iterator[dict[str, str]]:
    command = ["demo", "--state-dir", str(folder / "demo"), "--grpc-port", "0", "--ops-port", "0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stepdown", *command], stdout=subprocess.PIPE, stderr=log, text=True
        )
    if process.stdout is None:
        raise RuntimeError("the demo has no output")
    with process.stdout as output:
        try:
            yield json.loads(output.readline())
        finally:
            process.terminate()
            process.wait(60)


def _drill(ready: dict[str, str], page: Path, rate: list[str]) -> int:
    named = {"address": "grpc", "ca": "ca", "cert": "client_cert", "key": "client_key"}
    named |= {"operator-cert": "operator_cert", "operator-key": "operator_key"}
    options = [part for option, key in named.items() for part in (f"--{option}", ready[key])]
    options += ["--html", str(page), *(["--rate", *rate] if rate else [])]
    return subprocess.run([sys.executable, "-m", "stepdown", "drill", "run", *SHOWN, *options], check=False).returncode


def _draw(browser: str, page: Path, picture: Path) -> None:
    # A sandbox needs more than a container's root may do; the page is our own and loads nothing.
    unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            *(browser, "--headless", "--disable-gpu", "--hide-scrollbars", *unboxed),
            *(f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri()),
        ],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    sys.exit(main())
