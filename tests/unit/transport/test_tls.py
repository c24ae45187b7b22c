import ssl
from dataclasses import replace

import grpc
import pytest

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.transport.tls import ReloadingCredentials, TlsMaterial
from stepdown.trust.issuance import issue_server
from tests.unit.transport.grpc_side import (
    DAY_S,
    NOW_S,
    GrpcSide,
    Recorded,
    authority,
    client_credential,
    grpc_side,
    material,
    server_credential,
)

ASSESSOR = "spiffe://stepdown.demo/assessor/test"


class Folder:
    """Where a server reads its material from; the test changes what lies there."""

    def __init__(self) -> None:
        self.lies: TlsMaterial | Exception = material()
        self.reads = 0

    def read(self) -> TlsMaterial:
        self.reads += 1
        if isinstance(self.lies, Exception):
            raise self.lies
        return self.lies


def presented_certificate(side: GrpcSide) -> bytes:
    """What the server shows at a new handshake."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", side.listener.port), timeout=10))


def works(side: GrpcSide, name: str = "the authority") -> bool:
    """Whether a client of that authority is let in over a new connection."""
    credential = client_credential(ASSESSOR, name)
    credentials = grpc.ssl_channel_credentials(
        authority().certificate_pem, credential.private_key_pem, credential.certificate_pem
    )
    with grpc.secure_channel(side.listener.address, credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            CatalogServiceStub(channel).ListPathways(wire.ListPathwaysRequest(), timeout=5)
        except grpc.RpcError:
            return False
        return True


def test_without_first_material_there_is_no_server() -> None:
    folder = Folder()
    folder.lies = FileNotFoundError("server.pem")
    with pytest.raises(FileNotFoundError):
        ReloadingCredentials(folder.read, record=Recorded().as_record)


def test_a_new_certificate_is_shown_at_the_next_handshake_and_open_connections_live_on() -> None:
    folder = Folder()
    renewed = issue_server(authority(), dns_names=("localhost",), addresses=("127.0.0.1",), now_s=NOW_S, valid_s=DAY_S)
    with grpc_side(read_tls=folder.read) as side:
        stub = CatalogServiceStub(side.channel())
        stub.ListPathways(wire.ListPathwaysRequest(), timeout=5)
        before = presented_certificate(side)
        folder.lies = replace(
            material(), certificate_chain=renewed.certificate_pem, private_key=renewed.private_key_pem
        )
        after = presented_certificate(side)
        assert before == ssl.PEM_cert_to_DER_cert(server_credential().certificate_pem.decode())
        assert after == ssl.PEM_cert_to_DER_cert(renewed.certificate_pem.decode())
        stub.ListPathways(wire.ListPathwaysRequest(), timeout=5)
        assert works(side)
    assert ("tls_reloaded", {}) in side.recorded.events


def test_a_new_client_authority_counts_at_the_next_handshake() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        assert (works(side), works(side, "another authority")) == (True, False)
        folder.lies = replace(material(), client_authorities=authority("another authority").certificate_pem)
        assert (works(side), works(side, "another authority")) == (False, True)


def test_material_that_cannot_be_read_leaves_the_last_good_in_service_and_is_put_on_record_once() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        folder.lies = PermissionError("server.key.pem")
        assert works(side)
        assert works(side)
        folder.lies = material()
        assert works(side)
        folder.lies = PermissionError("server.key.pem")
        assert works(side)
    failures = [fields for name, fields in side.recorded.events if name == "tls_reload_failed"]
    assert failures == [{"incident": "incident-1"}, {"incident": "incident-2"}]


def test_material_that_is_no_certificate_leaves_the_last_good_in_service() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        folder.lies = replace(material(), certificate_chain=b"not a certificate")
        assert works(side)


def test_only_what_differs_is_offered() -> None:
    folder, recorded = Folder(), Recorded()
    credentials = ReloadingCredentials(folder.read, record=recorded.as_record)
    assert credentials.newer() is None
    folder.lies = replace(material(), client_authorities=authority("another authority").certificate_pem)
    assert credentials.newer() is not None
    assert credentials.newer() is None
    for lies in (OSError("gone"), OSError("gone"), material(), OSError("gone again")):
        folder.lies = lies
        offered = credentials.newer()
        assert (offered is None) is isinstance(lies, OSError)
    assert [name for name, _ in recorded.events] == [
        "tls_reloaded",
        "tls_reload_failed",
        "tls_reloaded",
        "tls_reload_failed",
    ]


def test_a_private_key_is_in_no_representation() -> None:
    assert b"PRIVATE" not in repr(material()).encode()
