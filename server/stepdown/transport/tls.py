"""The server's certificate, key and the authorities of its clients: looked at all the time, taken over when they work.

Mutual always: a connection without a client certificate that chains to `client_authorities` gets no further than the
handshake. A handshake reads no file, so that a disk that hangs holds up nobody. Refuses to let a failed reload end
service: the last good material stays, and the failure is put on record.
"""

import math
import threading
from collections.abc import Callable

import grpc

from stepdown.adapters.system_clock import SystemClock
from stepdown.adapters.tls_material import TlsMaterial, TlsMaterialError, proven
from stepdown.domain.certificates import TlsStatus
from stepdown.ports import Clock
from stepdown.transport.calls import CallRecord

LOOK_S = 1.0
"""How often the files are looked at."""
_DAY_S = 86_400.0
_ALARM_DAYS = 7


class ReloadingCredentials:
    """Offers gRPC the newest material that works."""

    def __init__(self, read: Callable[[], TlsMaterial], *, record: CallRecord, clock: Clock | None = None) -> None:
        """Raises: OSError, TlsMaterialError: without first material there is nothing to serve with."""
        self._read = read
        self._record = record
        self._clock = clock or SystemClock()
        self._current = self._offered = read()
        self._expiry_s = proven(self._current, now_s=self._clock.wall_s())
        self._reloads = 0
        self._failures = 0
        self._seen_faulty: object = None
        self._faulty: object = None
        self._warned_s = -math.inf
        self._closed = threading.Event()

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that take newer material over at the next handshake."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._current),
            self.newer,  # type: ignore[arg-type]  # its stubs forget that None keeps what there is
            require_client_authentication=True,
        )

    def newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Material that was not offered yet; None keeps that. gRPC asks at each handshake, in a thread of its own."""
        current = self._current
        if current is self._offered:
            return None
        self._offered = current
        return _configuration(current)

    def status(self) -> TlsStatus:
        """How renewing went."""
        return TlsStatus(
            reloads=self._reloads,
            failed_reloads=self._failures,
            is_stale=self._faulty is not None,
        )

    def look(self) -> None:
        """Read the files, and take them over if they are new and work."""
        try:
            material = self._read()
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a file must not end service
            self._fail(repr(error), type(error).__name__, error)
            return
        if material not in (self._current, self._faulty):
            self._take_over(material)
        elif material == self._current:
            self._faulty = self._seen_faulty = None
        self._warn()

    def watch(self) -> None:
        """Look from now on, in a thread of its own, until closed."""
        threading.Thread(target=self._keep_looking, name="tls-files", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _keep_looking(self) -> None:
        self._warn()
        while not self._closed.wait(LOOK_S):
            self.look()

    def _take_over(self, material: TlsMaterial) -> None:
        try:
            expiry_s = proven(material, now_s=self._clock.wall_s())
        except TlsMaterialError as error:
            self._fail(material, str(error), None)
            return
        self._current, self._expiry_s = material, expiry_s
        self._faulty = self._seen_faulty = None
        self._reloads += 1
        self._record.event("tls_reloaded")

    def _fail(self, what: object, detail: str, error: Exception | None) -> None:
        """Put on record, once for the same fault, at its second look: files are written one after the other."""
        if self._seen_faulty != what:
            self._seen_faulty = what
            return
        if self._faulty == what:
            return
        self._faulty = what
        self._failures += 1
        incident = "" if error is None else self._record.incident(error)
        self._record.event("tls_reload_failed", detail=detail, incident=incident)

    def _warn(self) -> None:
        """Once a day while the end is near; alarms tell of it long before."""
        now_s, days = self._clock.monotonic_s(), (self._expiry_s - self._clock.wall_s()) / _DAY_S
        if days < _ALARM_DAYS and now_s - self._warned_s >= _DAY_S:
            self._warned_s = now_s
            self._record.event("certificate_nearly_expired", days_left=round(days, 1))


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.private_key, material.certificate_chain)], material.client_authorities
    )
