"""From the text of a configuration file to its settings, or to the list of everything that is wrong with it."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from stepdown.domain.errors import ConfigurationError
from stepdown.settings.schema import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_EXPLANATIONS: Mapping[str, str] = {
    "extra_forbidden": "unknown key: remove it or mend its spelling",
    "missing": "required, but not given",
    "model_type": "must be a table",
    "path_type": "must be a path in quotes",
    "string_type": "must be text in quotes",
    "too_short": "must hold at least one entry",
    "tuple_type": "must be a list",
}


def load(path: Path) -> Settings:
    """Read and check a configuration file. Raises ConfigurationError with every problem found."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{path}: cannot be read ({type(error).__name__}): must be a TOML file in UTF-8"
        raise ConfigurationError((problem,)) from error
    return parse(text, folder=path.parent, file=str(path))


def parse(text: str, *, folder: Path, file: str) -> Settings:
    """Check the text of a configuration; `file` names it in problems, `folder` is where relative paths start.

    Raises: ConfigurationError with every problem found.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError((f"{file}: not valid TOML: {error}",)) from error
    settings: Settings | None = None
    problems: list[str] = []
    try:
        settings = Settings.model_validate(document, context={"folder": folder})
    except ValidationError as error:
        problems += _problems(error.errors())
    problems += _unfit_together(document)
    if settings is None or problems:
        raise ConfigurationError(tuple(f"{file}: {problem}" for problem in problems))
    return settings


def _problems(faults: "Sequence[ErrorDetails]") -> Iterator[str]:
    for fault in faults:
        # A list with a faulty entry is also reported as too short, which tells nobody anything.
        echo = fault["type"] == "too_short" and any(
            other is not fault and other["loc"][: len(fault["loc"])] == fault["loc"] for other in faults
        )
        if not echo:
            yield f"{'.'.join(str(part) for part in fault['loc'])}: {_explained(fault)}"


def _explained(fault: "ErrorDetails") -> str:
    said = fault["msg"].removeprefix("Value error, ")
    return _EXPLANATIONS.get(fault["type"], said.replace("Input should", "must", 1))


def _unfit_together(document: Mapping[str, Any]) -> Iterator[str]:
    """What no single key is to blame for. Reads the document, which may be faulty in every other way too."""
    if document.get("environment") == "production" and "ledger" not in document:
        yield "ledger: required in production: every answer there is on record"
    pathways = _tables(document, "pathway")
    yield from _repeated(pathways, "pathway")
    for number, pathway in pathways.items():
        key = f"pathway.{number}.tier"
        tiers = _tables(pathway, "tier")
        yield from _repeated(tiers, key)
        for place in list(tiers)[:-1]:
            if not tiers[place].get("execution_providers"):
                why = "required: only the last tier, if it is clinical rules, has none"
                yield f"{key}.{place}.execution_providers: {why}"


def _tables(holder: Mapping[str, Any], key: str) -> dict[int, Mapping[str, Any]]:
    listed = holder.get(key)
    if not isinstance(listed, list):
        return {}
    return {number: table for number, table in enumerate(listed) if isinstance(table, dict)}


def _repeated(tables: Mapping[int, Mapping[str, Any]], key: str) -> Iterator[str]:
    seen = []
    for number, table in tables.items():
        if table.get("name") in seen:
            yield f"{key}.{number}.name: used before: names must differ"
        elif "name" in table:
            seen.append(table["name"])
