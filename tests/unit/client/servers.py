"""Credentials on disk for the servers of `tests.unit.transport.grpc_side`."""

from pathlib import Path

from stepdown.client import Credentials
from tests.unit.transport.grpc_side import THE_AUTHORITY, TRUST_DOMAIN, authority, client_credential


def credentials(folder: Path, *, role: str = "assessor", issuer: str = THE_AUTHORITY) -> Credentials:
    """A client's files: it trusts the servers' authority, and shows a certificate of `issuer`."""
    shown = client_credential(f"spiffe://{TRUST_DOMAIN}/{role}/test", issuer)
    files = {
        "ca.pem": authority().certificate_pem,
        "client.pem": shown.certificate_pem,
        "client.key.pem": shown.private_key_pem,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Credentials(ca=folder / "ca.pem", certificate=folder / "client.pem", key=folder / "client.key.pem")
