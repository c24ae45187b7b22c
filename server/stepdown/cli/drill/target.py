"""Whom a drill talks to: the server, once as an assessor who asks and once as an operator who injects."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from stepdown.cli.options import FILE
from stepdown.cli.state import READY_FILE, default_state_directory
from stepdown.cli.target import Target, target_options
from stepdown.client import Credentials

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTarget:
    """Where to call, and both identities: no role contains another."""

    address: str
    assessor: Credentials
    operator: Credentials


def drill_target_options(command: Command) -> Command:
    """Add the options of a client command and `--operator-cert --operator-key`, and pass them as `target`."""

    @wraps(command)
    def run(
        *args: Any,  # noqa: ANN401
        target: Target,
        operator_cert: Path | None,
        operator_key: Path | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        demo = _operator_of_the_demo(target.address)
        certificate, key = operator_cert or demo.get("operator_cert"), operator_key or demo.get("operator_key")
        if certificate is None or key is None:
            raise click.UsageError("--operator-cert and --operator-key must be given: a drill needs an operator")
        operator = Credentials(
            ca=target.credentials.ca,
            certificate=Path(certificate),
            key=Path(key),
            server_name=target.credentials.server_name,
        )
        both = DrillTarget(address=target.address, assessor=target.credentials, operator=operator)
        return command(*args, target=both, **kwargs)

    options = (
        click.option("--operator-key", type=FILE, envvar="STEPDOWN_OPERATOR_KEY", help="An operator's key (PEM)."),
        click.option(
            "--operator-cert", type=FILE, envvar="STEPDOWN_OPERATOR_CERT", help="An operator's certificate (PEM)."
        ),
    )
    wrapped = target_options(run)
    for option in options:
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def _operator_of_the_demo(address: str) -> dict[str, str]:
    """Only for the demo's own address: another server knows nothing of its certificates."""
    try:
        ready = json.loads((default_state_directory() / READY_FILE).read_text("utf-8"))
        os.kill(int(ready["pid"]), 0)
        if ready["grpc"] != address:
            return {}
        return {"operator_cert": str(ready["operator_cert"]), "operator_key": str(ready["operator_key"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
