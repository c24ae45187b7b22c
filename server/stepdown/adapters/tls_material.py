"""A server's certificate, key and client authorities, and the proof that they belong together and hold now.

Refuses what a handshake would fail with: gRPC takes any bytes, and says nothing when a new pair does not fit.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from stepdown.domain.errors import StepdownError

_HANDSHAKE_ROUNDS = 8


class TlsMaterialError(StepdownError):
    """The files do not make a working server; the text says which, and why, and holds nothing of a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """All PEM. `certificate_chain` begins with the server's own certificate."""

    certificate_chain: bytes
    private_key: bytes = field(repr=False)
    client_authorities: bytes


def proven(material: TlsMaterial, *, now_s: float) -> float:
    """When the first of the server's certificates ends, once everything is shown to fit and to work now; Unix times.

    Raises: TlsMaterialError.
    """
    chain = _certificates(material.certificate_chain, what="certificate")
    authorities = _certificates(material.client_authorities, what="client_ca")
    _require_pair(chain[0], material.private_key)
    _require_purpose(chain[0])
    _require_chain(chain)
    for certificate in chain:
        _require_valid(certificate, now_s=now_s)
    if all(_ends_s(authority) <= now_s for authority in authorities):
        raise TlsMaterialError("client_ca: every authority has expired")
    _shake_hands(material)
    return min(map(_ends_s, chain))


def _certificates(pem: bytes, *, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TlsMaterialError(f"{what}: holds no certificate in PEM") from error


def _require_pair(certificate: x509.Certificate, key: bytes) -> None:
    try:
        own = load_pem_private_key(key, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TlsMaterialError("key: holds no private key in PEM, or one with a password") from error
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own.public_bytes(*encoding) != certificate.public_key().public_bytes(*encoding):
        raise TlsMaterialError("key: is not the key of the certificate")


def _require_purpose(certificate: x509.Certificate) -> None:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return  # RFC 5280 §4.2.1.12: without the extension it is good for anything
    if ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        raise TlsMaterialError("certificate: is not one for servers (extended key usage)")


def _require_chain(chain: list[x509.Certificate]) -> None:
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise TlsMaterialError("certificate: the chain is not one: each must be issued by the next") from error


def _require_valid(certificate: x509.Certificate, *, now_s: float) -> None:
    now = datetime.fromtimestamp(now_s, tz=UTC)
    if now < certificate.not_valid_before_utc:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M}"
        raise TlsMaterialError(f"certificate: is not valid before {begins} UTC; is the clock right?")
    if now > certificate.not_valid_after_utc:
        raise TlsMaterialError(f"certificate: expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")


def _ends_s(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def _shake_hands(material: TlsMaterial) -> None:
    """A handshake of TLS 1.3 in memory, as a client would begin it."""
    try:
        server = _server_side(material)
    except (ssl.SSLError, OSError) as error:
        raise TlsMaterialError("certificate and key: the TLS library does not take them") from error
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE  # whom its clients believe is not known here
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(_HANDSHAKE_ROUNDS):
        ends = [end for end in ends if not _is_shaken(end)]
    if ends:
        raise TlsMaterialError("certificate and key: a trial handshake did not come to an end")


def _is_shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError as error:
        raise TlsMaterialError("certificate and key: a trial handshake failed") from error
    return True


def _server_side(material: TlsMaterial) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with _in_memory(material.certificate_chain) as chain, _in_memory(material.private_key) as key:
        context.load_cert_chain(chain, key)
    context.load_verify_locations(cadata=material.client_authorities.decode("ascii"))
    return context


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path to bytes that touch no disk: the library reads keys from files only."""
    descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
