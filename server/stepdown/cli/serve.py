"""`stepdown serve`: run until told to stop. SIGTERM and SIGINT drain; a second one ends at once."""

import json
import os
import signal
import sys
from pathlib import Path
from threading import Event
from types import FrameType

import click

from stepdown import settings, wiring
from stepdown.domain.errors import ConfigurationError

_EXIT_CONFIGURATION = 2
_EXIT_FORCED = 130


@click.command()
@click.option(
    "--config", "config", type=click.Path(path_type=Path), required=True, help="The configuration file (TOML)."
)
def serve(config: Path) -> None:
    """Serve the pathways of a configuration file until SIGTERM."""
    run(config, extra={})


def run(config: Path, *, extra: dict[str, str]) -> None:
    """Serve; `extra` is added to the ready line."""
    try:
        server = wiring.Server(settings.load(config))
        server.start()
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(_EXIT_CONFIGURATION)
    stop = Event()
    _on_signals(stop)
    click.echo(json.dumps({"event": "ready", **server.addresses(), **extra}))
    sys.stdout.flush()
    stop.wait()
    server.stop()


def _on_signals(stop: Event) -> None:
    def told(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(_EXIT_FORCED)
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
