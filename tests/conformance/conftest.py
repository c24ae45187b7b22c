"""One real server, in a process of its own, for every conversation that does not hurt it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.running_server import RunningServer, running_server


def with_small_rate(settings: dict[str, Any]) -> None:
    settings["server"]["encounter_rate"] = {"per_s": 0.01, "burst": 20}


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningServer]:
    """The demo's chain with every tier in service, and a rate that a test can reach."""
    with running_server(with_small_rate) as server:
        server.until_capable("FULL")
        yield server
