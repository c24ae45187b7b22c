"""Clients of the operations pages that say nothing, too little, or too slowly."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from stepdown.transport.operations_http import connections
from stepdown.transport.operations_http.connections import MOST_CONNECTIONS
from stepdown.transport.operations_http.server import OperationsServer
from tests.unit.transport.operations_http.pages import HandSources, fetch

PATIENCE_S = 30.0


@pytest.fixture
def running() -> Iterator[OperationsServer]:
    server = OperationsServer("127.0.0.1:0", HandSources().sources())
    server.start()
    yield server
    server.stop()


def connected(server: OperationsServer, said: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)
    connection.sendall(said)
    return connection


def is_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET /metr"], ids=["nothing", "half a line"])
def test_monitors_have_their_pages_however_many_connections_say_nothing(running: OperationsServer, said: bytes) -> None:
    with ExitStack() as held:
        silent = [held.enter_context(connected(running, said)) for _ in range(3 * MOST_CONNECTIONS)]
        for path in ("/livez", "/readyz", "/metrics", "/api/status"):
            assert fetch(running, path).status == 200
        assert is_ended(silent[0])


def test_one_that_does_not_come_to_its_point_is_ended(
    running: OperationsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "EXCHANGE_S", 0.1)
    with connected(running, b"GET /livez HTTP/1.1\r\nhost: x\r\n") as silent:
        assert is_ended(silent)


def test_one_that_was_answered_once_has_no_longer_for_its_next_request(
    running: OperationsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
    with connected(running, request) as slow:
        monkeypatch.setattr(connections, "EXCHANGE_S", 0.1)
        assert slow.recv(1 << 16).startswith(b"HTTP/1.1 200")
        with suppress(ConnectionError):  # where a busy machine comes to the end of the connection before its client
            slow.sendall(request)
            slow.recv(1 << 16)
            slow.sendall(b"GET /li")
            while slow.recv(1 << 16):  # a connection that is kept open ends this by the patience of the test
                pass
