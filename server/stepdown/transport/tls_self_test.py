"""Proves at start-up, on the port itself, that TLS 1.2 is refused and TLS 1.3 is not.

The floor rests on behaviour that gRPC does not promise (`tls_floor`), so a server that cannot prove it does not serve.
Refuses to take any other failure for a refusal: a port that does not answer proves nothing.
"""

import socket
import ssl

from stepdown.domain.errors import ConfigurationError

TIMEOUT_S = 10.0
_REFUSALS = ("HANDSHAKE_FAILURE", "PROTOCOL_VERSION")


def require_tls_1_3_only(host: str, port: int) -> None:
    """Shake hands twice. Raises: ConfigurationError unless TLS 1.3 is spoken and TLS 1.2 is refused by the server."""
    try:
        _handshake(host, port, ssl.TLSVersion.TLSv1_3)
    except OSError as error:
        raise ConfigurationError((f"{host}:{port} does not speak TLS 1.3: {type(error).__name__}",)) from error
    try:
        _handshake(host, port, ssl.TLSVersion.TLSv1_2)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError):
        return  # gRPC hangs up in the middle of a handshake that it does not want
    except ssl.SSLError as error:
        if any(alert in (error.reason or "") for alert in _REFUSALS):
            return
        raise ConfigurationError((f"{host}:{port}: TLS 1.2 failed, but not as a refusal: {error.reason}",)) from error
    except OSError as error:
        raise ConfigurationError((f"{host}:{port}: TLS 1.2 could not be tried: {type(error).__name__}",)) from error
    raise ConfigurationError((f"{host}:{port} accepts TLS 1.2; TLS 1.3 is the least that may be spoken",))


def _handshake(host: str, port: int, version: ssl.TLSVersion) -> None:
    """In this version or none. The server's certificate is not the question here, and no data is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, port), TIMEOUT_S) as plain, context.wrap_socket(plain):
        pass
