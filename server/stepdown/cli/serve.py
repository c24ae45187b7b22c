"""`stepdown serve`: run until told to stop. SIGTERM and SIGINT drain; a second one ends at once."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import FrameType

import click

from stepdown import settings, wiring
from stepdown.domain.errors import ConfigurationError
from stepdown.transport.descriptors import raise_descriptor_limit

_EXIT_CONFIGURATION = 2
_EXIT_FORCED = 130


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The configuration file (TOML).")
def serve(config: Path) -> None:
    """Serve the pathways of a configuration file until SIGTERM."""
    run(config, extra={}, when_ready=lambda _ready: None)


def run(config: Path, *, extra: dict[str, str], when_ready: Callable[[dict[str, str]], None]) -> None:
    """Serve; `extra` is added to the ready line, `when_ready` is told it after it was printed."""
    stop = Event()
    _on_signals(stop)
    raise_descriptor_limit()
    try:
        server = wiring.Server(settings.load(config))
        server.start()
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        # Not sys.exit: gRPC's own threads may already run, and there is nothing to drain.
        sys.stderr.flush()
        os._exit(_EXIT_CONFIGURATION)
    ready = {"event": "ready", **server.addresses(), **extra}
    click.echo(json.dumps(ready))
    sys.stdout.flush()
    when_ready(ready)
    stop.wait()
    server.stop()


def _on_signals(stop: Event) -> None:
    def told(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(_EXIT_FORCED)
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
