"""Documents parsed, changed and refused. A key is named as in a problem: `pathway.0.tier.1.name`."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from stepdown import settings
from stepdown.domain.errors import ConfigurationError

FILE = "stepdown.toml"


def parsed(document: dict[str, Any], folder: Path) -> settings.Settings:
    return settings.parse(tomli_w.dumps(document), folder=folder, file=FILE)


def problems(document: dict[str, Any], folder: Path) -> list[str]:
    """Every problem, without the name of the file that begins each of them."""
    with pytest.raises(ConfigurationError) as refused:
        parsed(document, folder)
    assert all(problem.startswith(f"{FILE}: ") for problem in refused.value.problems)
    return [problem.removeprefix(f"{FILE}: ") for problem in refused.value.problems]


def put(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set one key, named as in a problem."""
    *way, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    place: Any = document
    for part in way:
        place = place.setdefault(part, {}) if isinstance(part, str) else place[part]
    place[last] = value
    return document
