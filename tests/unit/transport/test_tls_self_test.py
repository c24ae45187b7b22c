import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stepdown.domain.errors import ConfigurationError
from stepdown.transport import tls_self_test
from stepdown.transport.tls_self_test import require_tls_1_3_only
from tests.unit.transport.grpc_side import server_credential

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A loopback port whose every connection is given to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def speaking(folder: Path, *, minimum: ssl.TLSVersion, maximum: ssl.TLSVersion) -> Serve:
    """A TLS server of these versions."""
    certificate, key = folder / "server.pem", folder / "server.key.pem"
    certificate.write_bytes(server_credential().certificate_pem)
    key.write_bytes(server_credential().private_key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.minimum_version, context.maximum_version = minimum, maximum

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            pass

    return serve


def speak_plainly(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def keep_silent(connection: socket.socket) -> None:
    connection.settimeout(1.0)
    while connection.recv(4096):
        pass


def problem(port: int) -> str:
    """Why the port does not pass."""
    with pytest.raises(ConfigurationError) as caught:
        require_tls_1_3_only("127.0.0.1", port)
    (found,) = caught.value.problems
    return found


def test_a_server_of_tls_1_3_alone_passes(tmp_path: Path) -> None:
    with listening(speaking(tmp_path, minimum=ssl.TLSVersion.TLSv1_3, maximum=ssl.TLSVersion.TLSv1_3)) as port:
        require_tls_1_3_only("127.0.0.1", port)


def test_a_server_that_accepts_tls_1_2_too_does_not(tmp_path: Path) -> None:
    with listening(speaking(tmp_path, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3)) as port:
        assert "accepts TLS 1.2" in problem(port)


def test_a_server_that_does_not_speak_tls_1_3_does_not(tmp_path: Path) -> None:
    with listening(speaking(tmp_path, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_2)) as port:
        assert "does not speak TLS 1.3" in problem(port)


def test_a_port_that_answers_in_plain_text_does_not() -> None:
    with listening(speak_plainly) as port:
        assert "does not speak TLS 1.3" in problem(port)


def test_a_port_that_nobody_listens_on_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    assert "does not speak TLS 1.3: ConnectionRefusedError" in problem(port)


@pytest.mark.parametrize(
    ("second", "said"),
    [(speak_plainly, "failed, but not as a refusal"), (keep_silent, "could not be tried")],
    ids=["nonsense", "silence"],
)
def test_a_failure_that_is_no_refusal_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: Serve, said: str
) -> None:
    """TLS 1.3 is spoken at the first connection; at the second, for TLS 1.2, something else goes wrong."""
    monkeypatch.setattr(tls_self_test, "TIMEOUT_S", 0.2)
    first = speaking(tmp_path, minimum=ssl.TLSVersion.TLSv1_3, maximum=ssl.TLSVersion.TLSv1_3)
    turns = [second, first]

    def serve(connection: socket.socket) -> None:
        turns.pop()(connection)

    with listening(serve) as port:
        assert said in problem(port)
