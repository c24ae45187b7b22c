"""A gRPC side over a fake chain, and the environment by which client commands find it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stepdown.transport.outcome_desk import OutcomeDesk
from tests.fakes.activations import FakeActivations
from tests.unit.client.servers import credentials
from tests.unit.transport.grpc_side import GrpcSide, grpc_side


@contextmanager
def served(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    activations: FakeActivations | None = None,
    outcomes: OutcomeDesk | None = None,
) -> Iterator[GrpcSide]:
    """Serve, and point `STEPDOWN_*` there."""
    files = credentials(folder)
    with grpc_side(activations=activations, outcomes=outcomes) as side:
        for name, value in {
            "ADDRESS": side.listener.address,
            "CA": files.ca,
            "CERT": files.certificate,
            "KEY": files.key,
        }.items():
            monkeypatch.setenv(f"STEPDOWN_{name}", str(value))
        yield side
