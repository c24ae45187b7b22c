"""A key in a token for one command: the PIN comes from a file or is asked for, once. Refuses a PIN as an argument."""

import sys
from pathlib import Path

import click

from stepdown.adapters.key_store.pins import read_pin
from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import TokenKeyUri, parse_token_uri


def opened_token(text: str, pin_file: Path | None) -> TokenKey:
    """The key that a URI names; its token is opened at the first use and closed when the command ends.

    Raises: TrustError KEY_URI_INVALID.
    """
    uri = parse_token_uri(text)
    key = TokenKey(uri, pin=lambda: _pin(uri, pin_file))
    click.get_current_context().call_on_close(key.close)
    return key


def _pin(uri: TokenKeyUri, pin_file: Path | None) -> str | None:
    source = pin_file or uri.pin_source
    if source is not None:
        return read_pin(source)
    if sys.stdin.isatty():
        return str(click.prompt(f"PIN of {uri}", hide_input=True, err=True))
    raise click.UsageError("the HSM's PIN: name its file with --pin-file or the URI's pin-source")
