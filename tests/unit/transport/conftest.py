"""Servers that the tests of a module share, where no test changes them for the next."""

from collections.abc import Iterator

import pytest

from tests.unit.transport.grpc_side import GrpcSide, grpc_side


@pytest.fixture
def side() -> Iterator[GrpcSide]:
    """A gRPC side on loopback over a fake chain, new for each test."""
    with grpc_side() as serving:
        yield serving
