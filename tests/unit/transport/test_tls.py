import ssl
import threading
from dataclasses import replace

import grpc
import pytest

from stepdown.adapters.tls_material import TlsMaterial, TlsMaterialError, proven
from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.domain.certificates import TlsStatus
from stepdown.transport.tls import LOOK_S, ReloadingCredentials
from stepdown.trust.issuance import issue_authority, issue_server
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
from tests.unit.transport.patience import PATIENCE_S, until
from tests.unit.transport.test_stored_claims import HandClock

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


def renewed() -> TlsMaterial:
    """Another certificate and key of the same authority."""
    credential = issue_server(
        authority(), dns_names=("localhost",), addresses=("127.0.0.1",), now_s=NOW_S, valid_s=DAY_S * 90
    )
    return replace(material(), certificate_chain=credential.certificate_pem, private_key=credential.private_key_pem)


def test_a_new_certificate_is_shown_once_it_was_seen_and_open_connections_live_on() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        stub = CatalogServiceStub(side.channel())
        stub.ListPathways(wire.ListPathwaysRequest(), timeout=5)
        before = presented_certificate(side)
        newer = folder.lies = renewed()
        side.tls.look()
        after = presented_certificate(side)
        assert before == ssl.PEM_cert_to_DER_cert(server_credential().certificate_pem.decode())
        assert after == ssl.PEM_cert_to_DER_cert(newer.certificate_chain.decode())
        stub.ListPathways(wire.ListPathwaysRequest(), timeout=5)
        assert works(side)
    assert ("tls_reloaded", {}) in side.recorded.events
    assert side.tls.status().reloads == 1


def test_new_files_are_seen_without_anybody_asking_and_without_a_handshake() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        folder.lies = renewed()
        until(lambda: side.tls.status().reloads == 1)


def test_a_new_client_authority_counts_once_it_was_seen() -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        assert (works(side), works(side, "another authority")) == (True, False)
        folder.lies = replace(material(), client_authorities=authority("another authority").certificate_pem)
        side.tls.look()
        assert (works(side), works(side, "another authority")) == (False, True)


def test_a_disk_that_hangs_holds_up_no_handshake() -> None:
    """Row G6: the files are read beside the handshakes, never in them."""
    folder, mended = Folder(), threading.Event()
    with grpc_side(read_tls=folder.read) as side:

        def hang() -> TlsMaterial:
            mended.wait(PATIENCE_S)
            return material()

        folder.read = hang  # type: ignore[method-assign]
        side.tls._read = hang  # noqa: SLF001 - a disk has no other way to begin to hang
        threading.Event().wait(LOOK_S * 1.5)
        assert works(side)
        mended.set()


def unfit(name: str) -> TlsMaterial:
    """Material of which one thing is wrong."""
    good, hour_s = material(), 3600.0

    def served(now_s: float, valid_s: float) -> TlsMaterial:
        issued = issue_server(authority(), dns_names=("localhost",), addresses=(), now_s=now_s, valid_s=valid_s)
        return replace(good, certificate_chain=issued.certificate_pem, private_key=issued.private_key_pem)

    client = client_credential(ASSESSOR)
    old = issue_authority("an old authority", now_s=NOW_S - 3 * DAY_S, valid_s=DAY_S)
    return {
        "no certificate": replace(good, certificate_chain=b"not a certificate"),
        "no key": replace(good, private_key=b"not a key"),
        "no authority": replace(good, client_authorities=b""),
        "another key": replace(good, private_key=client.private_key_pem),
        "expired": served(NOW_S - 3 * DAY_S, DAY_S),
        "not yet valid": served(NOW_S + DAY_S, hour_s),
        "a client's": replace(good, certificate_chain=client.certificate_pem, private_key=client.private_key_pem),
        "a chain that is none": replace(
            good,
            certificate_chain=good.certificate_chain + authority("another authority").certificate_pem,
        ),
        "authorities that expired": replace(good, client_authorities=old.certificate_pem),
    }[name]


UNFIT = (
    "no certificate",
    "no key",
    "no authority",
    "another key",
    "expired",
    "not yet valid",
    "a client's",
    "a chain that is none",
    "authorities that expired",
)


@pytest.mark.parametrize("name", UNFIT)
def test_material_that_would_not_work_leaves_the_last_good_in_service_and_is_put_on_record_once(name: str) -> None:
    folder = Folder()
    with grpc_side(read_tls=folder.read) as side:
        folder.lies = unfit(name)
        for _ in range(3):
            side.tls.look()
        assert works(side)
        assert side.tls.status() == TlsStatus(reloads=0, failed_reloads=1, is_stale=True)
        folder.lies = material()
        side.tls.look()
        assert not side.tls.status().is_stale
    events = [(event, fields) for event, fields in side.recorded.events if event.startswith("tls")]
    assert [event for event, _ in events] == ["tls_reload_failed"]
    assert ":" in str(events[0][1]["detail"])
    assert "PRIVATE" not in str(events)


@pytest.mark.parametrize("name", UNFIT)
def test_material_that_would_not_work_is_no_first_material(name: str) -> None:
    with pytest.raises(TlsMaterialError):
        ReloadingCredentials(lambda: unfit(name), record=Recorded().as_record)


def test_a_chain_with_its_issuer_is_one() -> None:
    chained = replace(material(), certificate_chain=server_credential().certificate_pem + authority().certificate_pem)
    assert proven(chained, now_s=NOW_S) > NOW_S


def test_files_written_one_after_the_other_are_no_failure() -> None:
    folder, recorded = Folder(), Recorded()
    credentials = ReloadingCredentials(folder.read, record=recorded.as_record)
    newer = renewed()
    folder.lies = replace(material(), private_key=newer.private_key)
    credentials.look()
    folder.lies = newer
    credentials.look()
    assert [name for name, _ in recorded.events if name.startswith("tls")] == ["tls_reloaded"]


def test_only_what_differs_is_offered_and_each_failure_is_told_once() -> None:
    folder, recorded = Folder(), Recorded()
    credentials = ReloadingCredentials(folder.read, record=recorded.as_record)
    assert credentials.newer() is None
    for lies in (renewed(), OSError("gone"), OSError("gone"), material(), OSError("gone again")):
        folder.lies = lies
        credentials.look()
        credentials.look()
        assert (credentials.newer() is None) is isinstance(lies, OSError)
        assert credentials.newer() is None
    assert [name for name, _ in recorded.events if name.startswith("tls")] == [
        "tls_reloaded",
        "tls_reload_failed",
        "tls_reloaded",
        "tls_reload_failed",
    ]
    assert len(recorded.incidents) == 2


@pytest.mark.parametrize(("days", "told"), [(6.0, 1), (8.0, 0)])
def test_a_certificate_that_ends_within_a_week_is_told_of_once_a_day(days: float, told: int) -> None:
    clock, recorded = HandClock(), Recorded()
    clock.now_s += NOW_S - clock.wall_s()
    issued = issue_server(authority(), dns_names=("localhost",), addresses=(), now_s=NOW_S - 60.0, valid_s=days * DAY_S)
    lies = replace(material(), certificate_chain=issued.certificate_pem, private_key=issued.private_key_pem)
    credentials = ReloadingCredentials(lambda: lies, record=recorded.as_record, clock=clock)
    for _ in range(3):
        credentials.look()
    assert [name for name, _ in recorded.events].count("certificate_nearly_expired") == told


def test_a_private_key_is_in_no_representation() -> None:
    assert b"PRIVATE" not in repr(material()).encode()
