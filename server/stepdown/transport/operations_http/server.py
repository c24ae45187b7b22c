"""Runs the operations pages in a thread of their own, so that they answer while the gRPC side is busy or draining."""

import socket
from threading import Event, Thread

import uvicorn

from stepdown.domain.errors import ConfigurationError
from stepdown.transport.operations_http.application import OperationsSources, operations_application
from stepdown.transport.operations_http.connections import MOST_CONNECTIONS, TimedConnection

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0
_BACKLOG = 64
_HIGHEST_PORT = 65535


class OperationsServer:
    """Listens from `start` to `stop`."""

    def __init__(self, address: str, sources: OperationsSources) -> None:
        """Take `host:port` (an IPv6 host in brackets; port 0 means any free one). Raises ConfigurationError."""
        self._host, self._wanted_port = _parsed(address)
        self._address = address
        config = uvicorn.Config(
            operations_application(sources),
            access_log=False,
            interface="asgi3",
            http=TimedConnection,
            lifespan="off",
            limit_concurrency=MOST_CONNECTIONS + 1,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=int(_STOP_TIMEOUT_S) - 1,
            ws="none",
        )
        self._server = _ThreadedServer(config)
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on; before `start`, the one it was asked to."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else self._wanted_port

    def start(self) -> None:
        """Listen, and return when requests are answered. Raises ConfigurationError when the address cannot be had."""
        self._socket = self._bound()
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="operations-http", daemon=True)
        self._thread.start()
        if not self._server.listening.wait(_START_TIMEOUT_S):
            self.stop()
            raise ConfigurationError((f"server.ops_address: {self._address}: did not start in {_START_TIMEOUT_S:g} s",))

    def stop(self) -> None:
        """Stop listening, let requests under way end for a few seconds, and end the thread."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT_S)
        if self._socket is not None:
            self._socket.close()

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._wanted_port), family=family, backlog=_BACKLOG)
        except OSError as error:
            why = error.strerror or type(error).__name__
            problem = f"server.ops_address: cannot listen on {self._address}: {why}. Free that port or name another"
            raise ConfigurationError((problem,)) from error


class _ThreadedServer(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as usual, then tell whoever waits."""
        await super().startup(sockets)
        self.listening.set()


def _parsed(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT):
        raise ConfigurationError((f"server.ops_address: {address!r} is not host:port, for example 127.0.0.1:8080",))
    return host, int(port)
