"""Damaged and hostile certificates end in a refusal, wherever in them the damage is found."""

import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID

from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import (
    certified_key_id,
    check_chain,
    check_leaf,
    describe_identities,
    load_certificates,
    parse_certificates,
    serial_number,
)
from stepdown.trust.public_keys import key_id
from tests.unit.trust.samples import NOW_S, SAFETY_URI, Issued, authority, leaf

ROOT = authority()


def der(issued: Issued) -> bytes:
    return issued.certificate.public_bytes(Encoding.DER)


def test_all_names_of_a_leaf_are_told_with_their_kind() -> None:
    names = (
        x509.UniformResourceIdentifier(SAFETY_URI),
        x509.RFC822Name("safety@hospital.example"),
        x509.DNSName("hospital.example"),
    )
    certified = check_leaf(leaf(ROOT, names=names).certificate, now_s=NOW_S, what="x")
    assert certified.identities == {f"uri:{SAFETY_URI}", "email:safety@hospital.example", "dns:hospital.example"}
    assert describe_identities(certified.identities).startswith("'dns:hospital.example', 'email:")


def test_a_certificate_is_denied_by_these_numbers() -> None:
    assert serial_number(ROOT.certificate) == f"{ROOT.certificate.serial_number:x}"
    assert certified_key_id(ROOT.certificate) == key_id(ROOT.key.public_key)


@pytest.mark.parametrize("extension", [ExtensionOID.POLICY_CONSTRAINTS, ExtensionOID.NAME_CONSTRAINTS])
def test_an_extension_that_cannot_be_read_is_found_when_the_leaf_is_checked(extension: x509.ObjectIdentifier) -> None:
    damaged = leaf(ROOT, more=[(x509.UnrecognizedExtension(extension, b"\x30\x03junk"), False)])
    with pytest.raises(TrustError, match="CERTIFICATE_MALFORMED"):
        check_leaf(damaged.certificate, now_s=NOW_S, what="x")


def test_a_refusal_that_the_library_fails_to_put_into_words_is_a_refusal() -> None:
    """An unknown critical extension is the reason; the library's sentence quotes the subject, which is not text."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    damaged = der(leaf(ROOT, more=[(unknown, True)])).replace(b"leaf", b"\xffeaf")
    with pytest.raises(TrustError, match="CERTIFICATE_MALFORMED"):
        check_chain(parse_certificates((damaged,), what="x"), roots=(ROOT.certificate,), now_s=NOW_S, what="x")


def test_a_certificate_shown_twice_is_refused() -> None:
    certificate = leaf(ROOT).certificate
    with pytest.raises(TrustError, match="CERTIFICATE_UNTRUSTED"):
        check_chain((certificate, certificate), roots=(ROOT.certificate,), now_s=NOW_S, what="x")


def negative_serial() -> bytes:
    certificate = der(leaf(ROOT))
    serial = certificate.index(b"\x02", certificate.index(b"\xa0\x03\x02\x01\x02") + 5) + 2
    return certificate[:serial] + bytes([certificate[serial] | 0x80]) + certificate[serial + 1 :]


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_serial_number_below_one_is_refused_whatever_the_library_makes_of_it(action: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(action, CryptographyDeprecationWarning)  # type: ignore[arg-type]
        with pytest.raises(TrustError, match="CERTIFICATE_MALFORMED"):
            parse_certificates((negative_serial(),), what="x")


@pytest.mark.parametrize("pem", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_certificates_is_refused(pem: bytes) -> None:
    with pytest.raises(TrustError, match="CERTIFICATE_MALFORMED"):
        load_certificates(pem, what="root.pem")


def test_a_file_of_several_certificates_is_read_in_its_order() -> None:
    other = authority("other")
    pem = b"".join(issued.certificate.public_bytes(Encoding.PEM) for issued in (ROOT, other))
    assert load_certificates(pem, what="roots.pem") == (ROOT.certificate, other.certificate)
