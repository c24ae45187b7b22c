"""The demo's certificates: right purposes, right names, and no more."""

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from stepdown.domain.errors import TrustError
from stepdown.trust.issuance import (
    CLOCK_TOLERANCE_S,
    issue_authority,
    issue_client,
    issue_server,
    load_credential,
)
from tests.unit.trust.samples import NOW, NOW_S

VALID_S = 3600.0
AUTHORITY = issue_authority("demo", now_s=NOW_S, valid_s=VALID_S)
SERVER = issue_server(AUTHORITY, dns_names=("localhost",), addresses=("127.0.0.1", "::1"), now_s=NOW_S, valid_s=VALID_S)
CLIENT = issue_client(AUTHORITY, identity="spiffe://stepdown.demo/assessor/demo-client", now_s=NOW_S, valid_s=VALID_S)


def verifier() -> PolicyBuilder:
    return PolicyBuilder().store(Store([AUTHORITY.certificate])).time(NOW)


def test_a_server_s_certificate_verifies_for_its_name_and_not_as_a_client_s() -> None:
    assert verifier().build_server_verifier(x509.DNSName("localhost")).verify(SERVER.certificate, [])
    assert SERVER.server_names == {"localhost", "127.0.0.1", "::1"}
    with pytest.raises(VerificationError):
        verifier().build_client_verifier().verify(SERVER.certificate, [])


def test_a_client_s_certificate_verifies_as_its_spiffe_id_and_not_as_a_server_s() -> None:
    verified = verifier().build_client_verifier().verify(CLIENT.certificate, [])
    assert verified.subjects == [x509.UniformResourceIdentifier("spiffe://stepdown.demo/assessor/demo-client")]
    assert CLIENT.server_names == frozenset()
    with pytest.raises(VerificationError):
        verifier().build_server_verifier(x509.DNSName("localhost")).verify(CLIENT.certificate, [])


def test_neither_may_sign_bundles() -> None:
    for credential in (SERVER, CLIENT):
        purposes = credential.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert ExtendedKeyUsageOID.CODE_SIGNING not in purposes


def test_a_certificate_begins_a_little_early_for_clocks_that_are_behind() -> None:
    period = CLIENT.certificate.not_valid_before_utc.timestamp(), CLIENT.certificate.not_valid_after_utc.timestamp()
    assert period == (NOW_S - CLOCK_TOLERANCE_S, NOW_S + VALID_S)


def test_an_authority_names_no_server() -> None:
    assert AUTHORITY.server_names == frozenset()


def test_what_is_written_is_read() -> None:
    read = load_credential(CLIENT.certificate_pem, CLIENT.private_key_pem, what="client")
    assert read.certificate == CLIENT.certificate
    assert "private_key" not in repr(read)


def pem_of_another_kind() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("certificate", "private_key"),
    [
        (lambda: CLIENT.certificate_pem, lambda: SERVER.private_key_pem),
        (lambda: CLIENT.certificate_pem, lambda: b""),
        (lambda: b"", lambda: CLIENT.private_key_pem),
        (lambda: CLIENT.certificate_pem, pem_of_another_kind),
    ],
    ids=["another's key", "no key", "no certificate", "a key of another kind"],
)
def test_a_pair_that_does_not_match_is_refused(
    certificate: Callable[[], bytes], private_key: Callable[[], bytes]
) -> None:
    with pytest.raises(TrustError) as refused:
        load_credential(certificate(), private_key(), what="client")
    assert refused.value.rule == "KEY_UNREADABLE"
