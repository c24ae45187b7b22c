"""How patient and how generous a listener is, and the same in gRPC's words."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stepdown.resilience.load_shedding import LoadShedding
from stepdown.transport.descriptors import permitted_connections
from stepdown.transport.reception import ReceptionLimits

_MS = 1000
MIB = 1024 * 1024
Transport: TypeAlias = Literal["completion_queue", "public"]
"""How unary calls that come in floods are served: by a queue of their own, or by gRPC's public server like the rest."""

_RECEPTION = ReceptionLimits()
_SHEDDING = LoadShedding()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportStatus:
    """How unary calls are served, and why not as configured; `fallback_reason` is empty where it is as configured."""

    name: Transport
    fallback_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """Limits in bytes, threads and seconds. The defaults suit one hospital on one machine.

    `address` is host:port, port 0 for any free one. A unary call holds one of `call_threads` while it is answered, and
    before that one of `receiving_threads` while its message arrives; further ones queue, up to `concurrent_calls` in
    all and for as long as `shedding` allows. Open streams and watches of health have threads of their own; one caller
    may have half of the streams.
    `large_request_bytes` is for methods that carry batches and tensors; `held_bytes` bounds the messages, received or
    answered, that calls hold in all, and one caller may hold half of it.

    Connections beyond `connections` are closed as they come, so that the descriptors that workers need are never used
    up. `connection_age_s` bounds how long an old client certificate lives on in an open connection. `announce_s` is how
    long a draining server goes on accepting calls after its health has said NOT_SERVING, and ten times that if they
    keep coming.
    """

    address: str
    transport: Transport = "completion_queue"
    call_threads: int = 128
    receiving_threads: int = 256
    streams: int = 512
    watches: int = 2048
    concurrent_calls: int = 4096
    pending_calls: int = 16_384
    connections: int = 8192
    request_bytes: int = 4 * MIB
    large_request_bytes: int = 32 * MIB
    held_bytes: int = 256 * MIB
    reception: ReceptionLimits = _RECEPTION
    handshake_timeout_s: float = 5.0
    keepalive_s: float = 60.0
    keepalive_timeout_s: float = 20.0
    minimum_ping_interval_s: float = 10.0
    connection_idle_s: float = 1800.0
    connection_age_s: float = 43_200.0
    connection_age_grace_s: float = 60.0
    shedding: LoadShedding = _SHEDDING
    reuse_port: bool = False
    announce_s: float = 0.5

    def channel_arguments(self) -> list[tuple[str, int]]:
        """For `grpc.server`.

        Streams per connection are all but unlimited: a call above that limit would fail at the client instead of
        waiting (measured with 1.85: REFUSED_STREAM is not retried), so admission is the server's own business.
        """
        return [
            ("grpc.max_receive_message_length", self.large_request_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_concurrent_streams", 2**31 - 1),
            # Calls that arrive faster than they are looked at wait here; beyond it gRPC cancels whoever comes next.
            ("grpc.server.max_pending_requests", self.pending_calls),
            ("grpc.server.max_pending_requests_hard_limit", self.pending_calls),
            ("grpc.max_allowed_incoming_connections", permitted_connections(self.connections)),
            ("grpc.server_handshake_timeout_ms", round(self.handshake_timeout_s * _MS)),
            ("grpc.keepalive_time_ms", round(self.keepalive_s * _MS)),
            ("grpc.keepalive_timeout_ms", round(self.keepalive_timeout_s * _MS)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", round(self.minimum_ping_interval_s * _MS)),
            ("grpc.max_connection_idle_ms", round(self.connection_idle_s * _MS)),
            ("grpc.max_connection_age_ms", round(self.connection_age_s * _MS)),
            ("grpc.max_connection_age_grace_ms", round(self.connection_age_grace_s * _MS)),
            ("grpc.so_reuseport", int(self.reuse_port)),
        ]
