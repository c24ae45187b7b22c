"""The listener of a real server: mutual TLS 1.3 and nothing else, whoever knocks and however."""

import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.trust.issuance import Credential, issue_authority, issue_client, issue_server
from tests.conformance.callers import DAY_S, TRUST_DOMAIN, authority, channel_as, issued, open_channel
from tests.faults.running_server import RunningServer
from tests.unit.transport.failures import failure_of

ASSESSOR = f"spiffe://{TRUST_DOMAIN}/assessor/conformance"


def place(server: RunningServer) -> tuple[str, int]:
    host, _, port = server.ready["grpc"].rpartition(":")
    return host, int(port)


def is_let_in(server: RunningServer, client: Credential | None) -> bool:
    """Whether a call over a new connection with this certificate is answered."""
    with open_channel(server, client) as channel:
        try:
            CatalogServiceStub(channel).ListPathways(wire.ListPathwaysRequest(), timeout=10)
        except grpc.RpcError:
            return False
        return True


def shake_hands(server: RunningServer, version: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server.folder / "certificates" / "ca.pem")
    context.set_alpn_protocols(["h2"])
    context.minimum_version = context.maximum_version = version
    return context.wrap_socket(socket.create_connection(place(server), 10), server_hostname="localhost")


def test_tls_1_3_is_spoken_with_a_certificate_for_this_host(demo: RunningServer) -> None:
    with shake_hands(demo, ssl.TLSVersion.TLSv1_3) as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"


def test_tls_1_2_is_refused(demo: RunningServer) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        shake_hands(demo, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2"])
def test_openssls_own_client_gets_nowhere_below_tls_1_3(demo: RunningServer, version: str) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command (Debian package openssl)")
    host, port = place(demo)
    ended = subprocess.run(
        [openssl, "s_client", "-connect", f"{host}:{port}", version, "-cipher", "ALL:@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert b"BEGIN CERTIFICATE" not in ended.stdout
    assert ended.returncode != 0


def test_only_a_client_of_the_right_authority_for_the_right_purpose_and_in_time_is_let_in(demo: RunningServer) -> None:
    now_s = time.time()
    ours, stranger = authority(demo), issue_authority("a stranger", now_s=now_s, valid_s=DAY_S)
    clients = {
        "none": None,
        "good": issued(demo, ASSESSOR),
        "of a stranger": issue_client(stranger, identity=ASSESSOR, now_s=now_s, valid_s=DAY_S),
        "expired": issue_client(ours, identity=ASSESSOR, now_s=now_s - 3 * DAY_S, valid_s=DAY_S),
        "not yet valid": issue_client(ours, identity=ASSESSOR, now_s=now_s + DAY_S, valid_s=DAY_S),
        "a server's": issue_server(ours, dns_names=("localhost",), addresses=(), now_s=now_s, valid_s=DAY_S),
    }
    assert {name: is_let_in(demo, client) for name, client in clients.items()} == {
        "none": False,
        "good": True,
        "of a stranger": False,
        "expired": False,
        "not yet valid": False,
        "a server's": False,
    }


def test_plain_text_gets_nowhere(demo: RunningServer) -> None:
    with grpc.insecure_channel(demo.ready["grpc"]) as channel:
        stub = CatalogServiceStub(channel)
        failed = failure_of(lambda: stub.ListPathways(wire.ListPathwaysRequest(), timeout=10))
    assert failed.code is grpc.StatusCode.UNAVAILABLE


NO_HANDSHAKES = {
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "broken": b"\x16\x03\x01\xff\xff" + b"\0" * 100,
    "plain": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "noise": b"\xff" * 65_536,
}


@pytest.mark.parametrize("bytes_", list(NO_HANDSHAKES.values()), ids=list(NO_HANDSHAKES))
def test_what_is_no_handshake_is_hung_up_on_and_nobody_else_notices(demo: RunningServer, bytes_: bytes) -> None:
    with channel_as(demo) as channel:
        stub = CatalogServiceStub(channel)
        stub.ListPathways(wire.ListPathwaysRequest(), timeout=10)
        with socket.create_connection(place(demo), 10) as knocking:
            knocking.settimeout(10)
            try:
                knocking.sendall(bytes_)
                while knocking.recv(4096):
                    pass
            except ConnectionError:
                pass
        assert stub.ListPathways(wire.ListPathwaysRequest(), timeout=10).pathways


def test_one_that_connects_and_says_nothing_is_hung_up_on(demo: RunningServer) -> None:
    """A slow loris holds a connection for the handshake's time, not for ever."""
    with socket.create_connection(place(demo), 10) as silent:
        silent.settimeout(20)
        began_s = time.monotonic()
        assert silent.recv(1) == b""
    assert time.monotonic() - began_s < 10
