"""Channels to a running server for whoever calls: by role, by identity, or by a certificate that should not do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from stepdown.trust.issuance import Credential, issue_client, load_credential
from tests.faults.running_server import RunningServer

DAY_S = 86_400.0
TRUST_DOMAIN = "stepdown.demo"


def authority(server: RunningServer) -> Credential:
    """The authority whose clients the server believes."""
    folder = server.folder / "certificates"
    return load_credential(
        (folder / "ca.pem").read_bytes(), (folder / "ca.key.pem").read_bytes(), what="the demo's authority"
    )


def issued(server: RunningServer, identity: str) -> Credential:
    """A client's certificate for a SPIFFE id, by the server's own authority."""
    return issue_client(authority(server), identity=identity, now_s=time.time(), valid_s=DAY_S)


def open_channel(server: RunningServer, client: Credential | None) -> grpc.Channel:
    """A channel of its own connection, with this certificate or none."""
    credentials = grpc.ssl_channel_credentials(
        (server.folder / "certificates" / "ca.pem").read_bytes(),
        None if client is None else client.private_key_pem,
        None if client is None else client.certificate_pem,
    )
    return grpc.secure_channel(server.ready["grpc"], credentials, [("grpc.use_local_subchannel_pool", 1)])


@contextmanager
def channel_as(server: RunningServer, role: str = "assessor") -> Iterator[grpc.Channel]:
    """A channel of a caller in this role."""
    with open_channel(server, issued(server, f"spiffe://{TRUST_DOMAIN}/{role}/conformance")) as channel:
        yield channel
