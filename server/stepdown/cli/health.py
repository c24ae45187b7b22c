"""`stepdown health`: whether the server of a configuration file lives, for a container's health check.

Exit code 0 when it does, 1 when it does not or nobody answers. Refuses to ask any other machine: it asks on loopback.
"""

import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import click

from stepdown import settings
from stepdown.cli.options import FILE
from stepdown.domain.errors import ConfigurationError

_TIMEOUT_S = 4.0


@click.command()
@click.option("--config", type=FILE, required=True, help="The configuration file (TOML) that the server was given.")
@click.option("--ready", is_flag=True, help="Ask whether it is ready for calls, and not only whether it lives.")
def health(*, config: Path, ready: bool) -> None:
    """Say whether the server lives, or is ready."""
    try:
        address = settings.load(config).server.ops_address
    except ConfigurationError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    answer = _answer(f"http://{address}/{'readyz' if ready else 'livez'}")
    click.echo(answer or "ok", err=bool(answer))
    sys.exit(1 if answer else 0)


def _answer(url: str) -> str:
    """Nothing when all is well, else what was said."""
    try:
        # A proxy of the environment is for other machines.
        with build_opener(ProxyHandler({})).open(url, timeout=_TIMEOUT_S) as response:
            return "" if response.status == HTTPStatus.OK else f"{url}: {response.status}"
    except HTTPError as refused:
        return f"{url}: {refused.code} {refused.read().decode(errors='replace').strip()}"
    except (URLError, OSError) as unreachable:
        return f"{url}: {unreachable}: is the server running with this configuration?"
