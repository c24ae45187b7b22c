"""The demo's certificates: made once, kept while good, renewed in time, and good for a real TLS handshake."""

import dataclasses
import ssl
from pathlib import Path

import pytest

from stepdown.adapters.certificates import (
    DEMO_CLIENT_IDENTITY,
    DEMO_OPERATOR_IDENTITY,
    DemoPki,
    ensure_demo_pki,
    identity_of,
)
from tests.unit.trust.samples import NOW_S

DAY_S = 86_400.0


def contents(pki: DemoPki) -> dict[str, bytes]:
    return {field.name: getattr(pki, field.name).read_bytes() for field in dataclasses.fields(pki)}


def handshake(server: ssl.SSLObject, client: ssl.SSLObject, wires: tuple[ssl.MemoryBIO, ...]) -> None:
    to_server, from_server, to_client, from_client = wires
    pending = {server, client}
    for _ in range(10):
        for side in tuple(pending):
            try:
                side.do_handshake()
                pending.discard(side)
            except ssl.SSLWantReadError:
                pass
        to_client.write(from_server.read())
        to_server.write(from_client.read())
    assert not pending


def connect(pki: DemoPki, *, cert: Path, key: Path, host: str) -> tuple[str | None, str]:
    """A TLS handshake in memory; the protocol and the client's URI as the server saw them."""
    accepting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.ca))
    accepting.verify_mode = ssl.CERT_REQUIRED
    accepting.load_cert_chain(pki.server_cert, pki.server_key)
    asking = ssl.create_default_context(cafile=str(pki.ca))
    asking.load_cert_chain(cert, key)
    wires = tuple(ssl.MemoryBIO() for _ in range(4))
    server = accepting.wrap_bio(wires[0], wires[1], server_side=True)
    client = asking.wrap_bio(wires[2], wires[3], server_hostname=host)
    handshake(server, client, wires)
    names = (server.getpeercert() or {})["subjectAltName"]
    return server.version(), dict(names)["URI"]  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_and_an_operator_connect_by_tls_1_3_as_themselves(tmp_path: Path, host: str) -> None:
    pki = ensure_demo_pki(tmp_path / "pki")
    assert connect(pki, cert=pki.client_cert, key=pki.client_key, host=host) == ("TLSv1.3", DEMO_CLIENT_IDENTITY)
    assert connect(pki, cert=pki.operator_cert, key=pki.operator_key, host=host) == ("TLSv1.3", DEMO_OPERATOR_IDENTITY)


def test_a_server_s_certificate_is_no_client_s(tmp_path: Path) -> None:
    pki = ensure_demo_pki(tmp_path)
    with pytest.raises(ssl.SSLError):
        connect(pki, cert=pki.server_cert, key=pki.server_key, host="localhost")


def test_private_keys_are_their_owner_s_alone(tmp_path: Path) -> None:
    pki = ensure_demo_pki(tmp_path / "pki")
    keys = sorted(path.name for path in (tmp_path / "pki").iterdir() if path.stat().st_mode & 0o077 == 0)
    assert keys == ["auditor.key.pem", "ca.key.pem", "client.key.pem", "operator.key.pem", "server.key.pem"]
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    pki.client_key.chmod(0o644)
    ensure_demo_pki(tmp_path / "pki")
    assert pki.client_key.stat().st_mode & 0o777 == 0o600


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    before = contents(ensure_demo_pki(tmp_path, now_s=NOW_S))
    assert contents(ensure_demo_pki(tmp_path, now_s=NOW_S + 50 * DAY_S)) == before


def test_leaves_are_renewed_a_month_before_their_end_and_the_authority_stays(tmp_path: Path) -> None:
    before = contents(ensure_demo_pki(tmp_path, now_s=NOW_S))
    after = contents(ensure_demo_pki(tmp_path, now_s=NOW_S + 61 * DAY_S))
    assert {name for name in before if before[name] == after[name]} == {"ca"}


def test_everything_is_renewed_when_the_authority_nears_its_end_or_the_clock_was_wrong(tmp_path: Path) -> None:
    before = contents(ensure_demo_pki(tmp_path, now_s=NOW_S))
    much_later = contents(ensure_demo_pki(tmp_path, now_s=NOW_S + 700 * DAY_S))
    set_back = contents(ensure_demo_pki(tmp_path, now_s=NOW_S))
    assert not {name for name in before if before[name] == much_later[name] or much_later[name] == set_back[name]}


@pytest.mark.parametrize("name", ["server_cert", "server_key"])
@pytest.mark.parametrize("damage", [b"", b"text", None])
def test_what_is_missing_or_damaged_is_made_again_and_the_rest_is_kept(
    tmp_path: Path, name: str, damage: bytes | None
) -> None:
    pki = ensure_demo_pki(tmp_path)
    before = contents(pki)
    path: Path = getattr(pki, name)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    after = contents(ensure_demo_pki(tmp_path))
    assert {name for name in before if before[name] != after[name]} == {"server_cert", "server_key"}


def test_leaves_of_another_authority_are_issued_again(tmp_path: Path) -> None:
    pki = ensure_demo_pki(tmp_path / "one")
    other = ensure_demo_pki(tmp_path / "two")
    pki.client_cert.write_bytes(other.client_cert.read_bytes())
    pki.client_key.write_bytes(other.client_key.read_bytes())
    renewed = ensure_demo_pki(tmp_path / "one")
    assert (
        connect(renewed, cert=renewed.client_cert, key=renewed.client_key, host="localhost")[1] == DEMO_CLIENT_IDENTITY
    )


def test_a_server_asked_for_under_another_name_gets_another_certificate(tmp_path: Path) -> None:
    before = contents(ensure_demo_pki(tmp_path))
    after = contents(ensure_demo_pki(tmp_path, dns_names=("localhost", "ward-7")))
    assert {name for name in before if before[name] != after[name]} == {"server_cert", "server_key"}


def test_a_certificate_says_whose_it_is_as_servers_name_their_clients(tmp_path: Path) -> None:
    pki = ensure_demo_pki(tmp_path)
    assert identity_of(pki.operator_cert) == DEMO_OPERATOR_IDENTITY
    assert identity_of(pki.server_cert) == "dns:localhost"
    with pytest.raises(ValueError, match="names nobody"):
        identity_of(pki.ca)
