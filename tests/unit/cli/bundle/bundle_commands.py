"""Running `stepdown bundle` in this process, as the tests of its commands do."""

import json
from typing import Any

from click.testing import CliRunner, Result

from stepdown.cli.bundle.command import bundle


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(bundle, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document
