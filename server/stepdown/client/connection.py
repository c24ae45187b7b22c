"""Channels to one or more servers, and the calls an integration makes.

With several addresses the calls go to those whose health says SERVING, and a call that met a dead server is sent again
to another: safe, because a server answers a repeated `request_id` with the answer it gave before.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from stepdown.api.v1.assessment_service_pb2 import (
    AssessRiskRequest,
    BatchAssessRiskRequest,
    BatchAssessRiskResult,
    StreamAssessRiskRequest,
    StreamAssessRiskResponse,
)
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.client.failures import AssessmentError

DEFAULT_TIMEOUT_S = 1.0
_MAXIMUM_MESSAGE_BYTES = 64 * 1024 * 1024
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "stepdown.api.v1.AssessmentService"},
    "methodConfig": [
        {
            "name": [{"service": "stepdown.api.v1.AssessmentService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}


class AddressError(ValueError):
    """Not an address that can be called; the text says what one looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """PEM files: the authority that vouches for the servers, and the client's own certificate and key.

    `server_name`: the name that the servers' certificates hold, where that is not the host of the address. Servers on
    several hosts need one that all their certificates share.
    """

    ca: Path
    certificate: Path
    key: Path
    server_name: str = ""

    @classmethod
    def from_environment(cls) -> "Credentials":
        """From STEPDOWN_CA, STEPDOWN_CERT, STEPDOWN_KEY and, if set, STEPDOWN_SERVER_NAME. Raises KeyError."""
        return cls(
            ca=Path(os.environ["STEPDOWN_CA"]),
            certificate=Path(os.environ["STEPDOWN_CERT"]),
            key=Path(os.environ["STEPDOWN_KEY"]),
            server_name=os.environ.get("STEPDOWN_SERVER_NAME", ""),
        )

    def channel(self, addresses: str | Sequence[str], *, own_connection: bool = False) -> grpc.Channel:
        """A mutual TLS channel to one or more `IP:PORT`, as a sequence or with commas, or to one `NAME:PORT`.

        `own_connection`: share none with other channels of this process, as callers on other machines would not.

        Raises AddressError for what is no such address, OSError for a file that cannot be read.
        """
        listed = addresses.split(",") if isinstance(addresses, str) else addresses
        target, name = _target([address.strip() for address in listed], server_name=self.server_name)
        credentials = grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
        options = [
            ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
            # What each server's certificate is held to; gRPC itself would hold it to the list of all addresses.
            ("grpc.default_authority", name),
            ("grpc.max_receive_message_length", _MAXIMUM_MESSAGE_BYTES),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            # A proxy of the environment is for the internet; it has no part between a hospital's own machines.
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", int(own_connection)),
        ]
        return grpc.secure_channel(target, credentials, options)


class AssessmentClient:
    """Asks for assessments. Thread-safe; close it, or use it in a `with` block."""

    def __init__(self, addresses: str | Sequence[str], credentials: Credentials) -> None:
        """`addresses`: as `Credentials.channel` takes them. Raises AddressError, OSError."""
        self._channel = credentials.channel(addresses)
        self._assessments = AssessmentServiceStub(self._channel)

    def assess(self, request: AssessRiskRequest, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Assessment:
        """One encounter. The timeout is the deadline the server plans its tiers by. Raises AssessmentError."""
        try:
            return self._assessments.AssessRisk(request, timeout=timeout_s).assessment
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error

    def assess_batch(
        self, requests: Iterable[AssessRiskRequest], *, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> tuple[Assessment | AssessmentError, ...]:
        """Up to 1,024 encounters in one call, each with an answer or a failure of its own. Raises AssessmentError."""
        message = BatchAssessRiskRequest(requests=requests)
        try:
            results = self._assessments.BatchAssessRisk(message, timeout=timeout_s).results
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error
        return tuple(_settled(result) for result in results)

    def assess_stream(
        self, requests: Iterable[AssessRiskRequest]
    ) -> Iterator[tuple[str, Assessment | AssessmentError]]:
        """An open-ended feed: pairs of request id and answer, as they come. Raises AssessmentError."""
        messages = (StreamAssessRiskRequest(request=request) for request in requests)
        try:
            for response in self._assessments.StreamAssessRisk(messages):
                yield response.request_id, _settled(response)
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error

    def close(self) -> None:
        """Close every connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _target(addresses: Sequence[str], *, server_name: str) -> tuple[str, str]:
    """The addresses as one gRPC target, over which calls are spread, and the name that their certificates hold."""
    named = [_parsed(address) for address in addresses]
    families, hosts = {family for family, _ in named}, {host for _, host in named}
    if len(families) != 1 or (families == {"dns"} and len(addresses) > 1):
        raise AddressError("several addresses must all be IPv4:PORT, or all [IPv6]:PORT; a DNS name must stand alone")
    if len(hosts) > 1 and not server_name:
        raise AddressError("addresses on several hosts need server_name, a name that all their certificates share")
    family = families.pop()
    return f"{family}:{'///' if family == 'dns' else ''}{','.join(addresses)}", server_name or hosts.pop()


def _parsed(address: str) -> tuple[str, str]:
    """The kind of an address and its host."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise AddressError(f"{address!r} is no address: give IP:PORT or NAME:PORT")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        version = ip_address(bare).version
    except ValueError:
        version = None
    if (version == 6) is not (bare != host):  # noqa: PLR2004 - RFC 3986: brackets tell an IPv6 address from its port
        raise AddressError(f"{address!r} is no address: an IPv6 address, and nothing else, stands in brackets")
    return ("dns" if version is None else f"ipv{version}"), host


def _settled(result: BatchAssessRiskResult | StreamAssessRiskResponse) -> Assessment | AssessmentError:
    return AssessmentError.of_item(result.failure) if result.HasField("failure") else result.assessment
