"""Channels to servers: where they are, who they must be, and who asks. Refuses an address before it is called."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc

_MAXIMUM_MESSAGE_BYTES = 64 * 1024 * 1024
_HEALTH_CONFIG: Mapping[str, Any] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "stepdown.api.v1.AssessmentService"},
}
_SERVICE_CONFIG: Mapping[str, Any] = {
    **_HEALTH_CONFIG,
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

    def channel(
        self, addresses: str | Sequence[str], *, own_connection: bool = False, heeds_health: bool = True
    ) -> grpc.Channel:
        """A mutual TLS channel to one or more `IP:PORT`, as a sequence or with commas, or to one `NAME:PORT`.

        `own_connection`: share none with other channels of this process, as callers on other machines would not.
        `heeds_health`: call nobody who says that he cannot answer; an operator who mends that server must be able to.

        Raises AddressError for what is no such address, OSError for a file that cannot be read.
        """
        service_config = _SERVICE_CONFIG if heeds_health else {}
        return self._channel(_listed(addresses), service_config, own_connection=own_connection)

    def channels(self, addresses: str | Sequence[str]) -> tuple[grpc.Channel, ...]:
        """A channel to each of the same addresses, which leaves it to the caller to send a failed call elsewhere.

        Raises as `channel` does.
        """
        listed = _listed(addresses)
        _target(listed, server_name=self.server_name)  # what they must be together
        return tuple(self._channel([address], _HEALTH_CONFIG) for address in listed)

    def _channel(
        self, addresses: Sequence[str], service_config: Mapping[str, Any], *, own_connection: bool = False
    ) -> grpc.Channel:
        target, name = _target(addresses, server_name=self.server_name)
        credentials = grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
        options = [
            ("grpc.service_config", json.dumps(service_config)),
            # What each server's certificate is held to; gRPC itself would hold it to the list of all addresses.
            ("grpc.default_authority", name),
            ("grpc.max_receive_message_length", _MAXIMUM_MESSAGE_BYTES),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            # How long one attempt to connect may take; gRPC's own 20 s would hide that a machine came back.
            ("grpc.min_reconnect_backoff_ms", 2000),
            # A proxy of the environment is for the internet; it has no part between a hospital's own machines.
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", int(own_connection)),
        ]
        return grpc.secure_channel(target, credentials, options)


def _listed(addresses: str | Sequence[str]) -> list[str]:
    parts = addresses.split(",") if isinstance(addresses, str) else addresses
    return [address.strip() for address in parts]


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
