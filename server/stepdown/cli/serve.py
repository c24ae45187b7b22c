"""`stepdown serve`: run until told to stop. SIGTERM, SIGINT and SIGHUP drain; a second one ends at once."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Timer
from types import FrameType

import click

from stepdown import settings, wiring
from stepdown.domain.errors import ConfigurationError
from stepdown.transport.descriptors import raise_descriptor_limit
from stepdown.worker.confinement import leave_no_trace

_EXIT_CONFIGURATION = 2
_EXIT_UNANSWERED = 3
_EXIT_STUCK = 4
_EXIT_FORCED = 130

_ENDING_S = 10.0
"""How long the end may take after the grace, for workers and threads to end in."""


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The configuration file (TOML).")
def serve(config: Path) -> None:
    """Serve the pathways of a configuration file until SIGTERM."""
    run(config, extra={}, when_ready=lambda _ready: None)


def run(config: Path, *, extra: dict[str, str], when_ready: Callable[[dict[str, str]], None]) -> None:
    """Serve; `extra` is added to the ready line, `when_ready` is told it after it was printed."""
    signals = _Signals()
    raise_descriptor_limit()
    leave_no_trace()
    try:
        server = wiring.Server(settings.load(config))
        signals.begin_to_serve()
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
    signals.told.wait()
    _end_at_last(server.drain_grace_s + _ENDING_S)
    if server.stop():
        sys.exit(_EXIT_UNANSWERED)


class _Signals:
    """The first asks for a drain, a second ends at once, as does the first while nothing serves.

    SIGHUP too, so that a closed terminal loses nothing; but not where it was ignored from outside (nohup).
    """

    def __init__(self) -> None:
        self.told = Event()
        self._serves = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._tell)

    def begin_to_serve(self) -> None:
        """From here on a call may have been accepted."""
        self._serves = True

    def _tell(self, _signal: int, _frame: FrameType | None) -> None:
        if self.told.is_set():
            os._exit(_EXIT_FORCED)
        if not self._serves:
            os._exit(0)  # nothing was accepted and no worker runs; what is being read may be on a disk that hangs
        self.told.set()


def _end_at_last(within_s: float) -> None:
    """End the process if it has not ended itself by then, whatever holds it: its workers die with it."""
    timer = Timer(within_s, os._exit, (_EXIT_STUCK,))
    timer.daemon = True
    timer.start()
