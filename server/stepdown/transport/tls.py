"""The server's certificate, key and the authorities of its clients, read again at every handshake.

Mutual always: a connection without a client certificate that chains to `client_authorities` gets no further than the
handshake. Refuses to let a failed reload end service: the last good material stays, and the failure is put on record.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from stepdown.transport.calls import CallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """All PEM. `certificate_chain` begins with the server's own certificate."""

    certificate_chain: bytes
    private_key: bytes = field(repr=False)
    client_authorities: bytes


class ReloadingCredentials:
    """Offers gRPC the newest material that could be read."""

    def __init__(self, read: Callable[[], TlsMaterial], *, record: CallRecord) -> None:
        """Raises: whatever `read` raises, since without first material there is nothing to serve with."""
        self._read = read
        self._record = record
        self._current = read()
        self._failed = False

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that look for newer material at every handshake."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._current),
            self.newer,  # type: ignore[arg-type]  # its stubs forget that None keeps what there is
            require_client_authentication=True,
        )

    def newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Material that differs from the last; None keeps that. gRPC asks at each handshake, in a thread of its own."""
        try:
            material = self._read()
        except Exception as error:  # noqa: BLE001  # an unreadable file must not refuse the handshake
            if not self._failed:
                self._record.event("tls_reload_failed", incident=self._record.incident(error))
            self._failed = True
            return None
        self._failed = False
        if material == self._current:
            return None
        self._current = material
        self._record.event("tls_reloaded")
        return _configuration(material)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.private_key, material.certificate_chain)], material.client_authorities
    )
