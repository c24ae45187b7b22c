"""Parameters that several commands share, declared once so that they look alike. Refuses to hold any command."""

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
NEW = click.Path(path_type=Path)

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text for people."
)
