"""Which server a client command talks to, and as whom: options, environment, or a demo that is running here."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from stepdown.cli.state import READY_FILE, default_state_directory
from stepdown.client import AddressError, Credentials

Command = TypeVar("Command", bound=Callable[..., Any])
# Each option with the key of a demo's ready line that stands in for it.
_AS_CLIENT = {"address": "grpc", "ca": "ca", "cert": "client_cert", "key": "client_key"}
_AS_OPERATOR = {**_AS_CLIENT, "cert": "operator_cert", "key": "operator_key"}
_AS_AUDITOR = {**_AS_CLIENT, "cert": "auditor_cert", "key": "auditor_key"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to call and with what."""

    address: str
    credentials: Credentials


def target_options(command: Command) -> Command:
    """Add `--address --ca --cert --key --server-name` and pass what they come to as `target`."""
    return _with_target(command, _AS_CLIENT)


def operator_target_options(command: Command) -> Command:
    """As `target_options`, for commands that need an operator's certificate."""
    return _with_target(command, _AS_OPERATOR)


def auditor_target_options(command: Command) -> Command:
    """As `target_options`, for commands that need an auditor's certificate, if they ask a server at all.

    What is passed as `target` gives the target when it is called.
    """
    return _with_target(command, _AS_AUDITOR, when_asked=True)


def _with_target(command: Command, ready_keys: Mapping[str, str], *, when_asked: bool = False) -> Command:
    @wraps(command)
    def run(*args: Any, server_name: str, **kwargs: Any) -> Any:  # noqa: ANN401
        resolve = partial(_resolve, server_name, ready_keys, {name: kwargs.pop(name) for name in ready_keys})
        target = resolve if when_asked else resolve()
        try:
            return command(*args, target=target, **kwargs)
        except AddressError as error:
            raise click.BadParameter(str(error), param_hint="--address") from error

    for option in (
        click.option(
            "--server-name",
            envvar="STEPDOWN_SERVER_NAME",
            default="",
            help="The name that the server's certificate holds, if that is not the host of the address.",
        ),
        click.option("--key", type=_FILE, envvar="STEPDOWN_KEY", help="The client's private key (PEM)."),
        click.option("--cert", type=_FILE, envvar="STEPDOWN_CERT", help="The client's certificate (PEM)."),
        click.option("--ca", type=_FILE, envvar="STEPDOWN_CA", help="The authority of the server (PEM)."),
        click.option(
            "--address",
            envvar="STEPDOWN_ADDRESS",
            help="IP:PORT (several with commas) or NAME:PORT.",
        ),
    ):
        run = option(run)
    return run  # type: ignore[return-value]


def _resolve(server_name: str, ready_keys: Mapping[str, str], given: Mapping[str, str | Path | None]) -> Target:
    demo = _running_demo() if not all(given.values()) else {}
    found = {name: str(given[name] or demo.get(key, "")) for name, key in ready_keys.items()}
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
    credentials = Credentials(
        ca=Path(found["ca"]), certificate=Path(found["cert"]), key=Path(found["key"]), server_name=server_name
    )
    return Target(address=found["address"], credentials=credentials)


def _running_demo() -> dict[str, Any]:
    try:
        ready = json.loads((default_state_directory() / READY_FILE).read_text("utf-8"))
        os.kill(int(ready["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(ready)
