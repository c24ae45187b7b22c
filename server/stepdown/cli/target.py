"""Which server a client command talks to, and as whom: options, environment, or a demo that is running here."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from stepdown.cli.state import READY_FILE, default_state_directory
from stepdown.client import AddressError, Credentials

Command = TypeVar("Command", bound=Callable[..., Any])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to call and with what."""

    address: str
    credentials: Credentials


def target_options(command: Command) -> Command:
    """Add `--address --ca --cert --key` and pass what they come to as `target`."""

    @wraps(command)
    def run(*args: Any, address: str, ca: Path, cert: Path, key: Path, **kwargs: Any) -> Any:  # noqa: ANN401
        target = _resolve(address=address, ca=ca, cert=cert, key=key)
        try:
            return command(*args, target=target, **kwargs)
        except AddressError as error:
            raise click.BadParameter(str(error), param_hint="--address") from error

    for option in (
        click.option("--key", type=_FILE, envvar="STEPDOWN_KEY", help="The client's private key (PEM)."),
        click.option("--cert", type=_FILE, envvar="STEPDOWN_CERT", help="The client's certificate (PEM)."),
        click.option("--ca", type=_FILE, envvar="STEPDOWN_CA", help="The authority of the server (PEM)."),
        click.option(
            "--address", envvar="STEPDOWN_ADDRESS", help="IP:PORT (several with commas) or NAME:PORT; else a demo running here."
        ),
    ):
        run = option(run)
    return run  # type: ignore[return-value]


def _resolve(**given: Any) -> Target:  # noqa: ANN401
    demo = _running_demo() if not all(given.values()) else {}
    wanted = {"address": "grpc", "ca": "ca", "cert": "client_cert", "key": "client_key"}
    found = {name: str(given[name] or demo.get(line, "")) for name, line in wanted.items()}
    missing = [f"--{name}" for name, value in found.items() if not value]
    if missing:
        raise click.UsageError(
            f"no demo is running here, so {', '.join(missing)} must be given (or STEPDOWN_ADDRESS, STEPDOWN_CA, "
            "STEPDOWN_CERT, STEPDOWN_KEY). To start one: make run"
        )
    for path in (found["ca"], found["cert"], found["key"]):
        if not os.access(path, os.R_OK):
            raise click.UsageError(
                f"{path} cannot be read: it is named by {READY_FILE} of a demo that seems to run here"
            )
    credentials = Credentials(ca=Path(found["ca"]), certificate=Path(found["cert"]), key=Path(found["key"]))
    return Target(address=found["address"], credentials=credentials)


def _running_demo() -> dict[str, Any]:
    try:
        ready = json.loads((default_state_directory() / READY_FILE).read_text("utf-8"))
        os.kill(int(ready["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(ready)
