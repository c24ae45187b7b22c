"""Attacks by certificates, made by machine: issued wrong in one way or several. None is accepted; all good ones are."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import TrustError
from stepdown.trust.envelope import Envelope, parse_envelope, pre_authentication_encoding, render_envelope
from stepdown.trust.signing import sign_files
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import (
    ANY_BY_SAFETY,
    DAY,
    NOW,
    NOW_S,
    SAFETY,
    SAFETY_URI,
    Issued,
    authority,
    issue,
    leaf,
    policy,
    rules_contents,
)

ROOT = authority()
IMPOSTOR = authority()  # the same name, another key
BETWEEN = authority("between", issuer=ROOT)
BY_CERTIFICATE = policy(SAFETY, ANY_BY_SAFETY, roots=[ROOT.certificate])
CONTENTS = rules_contents()
EXPIRED, FUTURE = {"start": NOW - 30 * DAY, "end": NOW - DAY}, {"start": NOW + DAY, "end": NOW + 30 * DAY}
UNKNOWN_CRITICAL = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def uri(text: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(text)


def accepted(files: dict[str, bytes]) -> bool:
    """Anything but an acceptance or a TrustError fails the test."""
    try:
        verify_bundle("news2", "1.2.0", files, BY_CERTIFICATE, NOW_S)
    except TrustError:
        return False
    return True


def by_certificates(*chain: Issued, at: datetime | None = None) -> dict[str, bytes]:
    signature = sign_files(
        CONTENTS,
        chain[0].key,
        certificates=tuple(issued.certificate for issued in chain),
        signed_time_s=at.timestamp() if at is not None else None,
    )
    return {**CONTENTS, "signatures/safety.sig": signature}


GOOD_LEAVES: tuple[dict[str, Any], ...] = (
    {},
    {"curve": ec.SECP384R1},
    {"curve": ec.SECP521R1},
    {"names": (uri("spiffe://elsewhere.example/x"), uri(SAFETY_URI))},
    {"purposes": (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)},
    {"end": NOW + 3650 * DAY},
)
BAD_LEAVES: tuple[dict[str, Any], ...] = (
    EXPIRED,
    FUTURE,
    {"purposes": ()},
    {"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)},
    {"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)},
    {"purposes": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH)},
    {"signing": False},
    {"critical_usage": False},
    {"ca": True},
    {"names": ()},
    {"names": (uri(SAFETY_URI + "/"),)},
    {"names": (uri(SAFETY_URI.upper()),)},
    {"names": (uri(SAFETY_URI + "%00.evil.example"),)},
    {"names": (uri("spiffe://hospital.example.evil.example/safety"),)},
    {"names": (uri("https://x/?" + SAFETY_URI),)},
    {"names": (x509.DNSName("hospital.example"),)},
    {"names": (x509.RFC822Name("safety@hospital.example"),)},
    {"curve": ec.SECP256K1},
    {"curve": ec.SECP224R1},
    {"more": ((UNKNOWN_CRITICAL, True),)},
)


def attempt(make: Callable[[], dict[str, bytes]]) -> bool:
    """Whether it is accepted; what our own signer or the library would not even make is not."""
    try:
        files = make()
    except (TrustError, ValueError):
        return False
    return accepted(files)


@pytest.mark.parametrize("fault", range(len(GOOD_LEAVES)))
@pytest.mark.parametrize("through", [False, True])
def test_every_good_certificate_is_accepted(fault: int, *, through: bool) -> None:
    chain = (leaf(BETWEEN, **GOOD_LEAVES[fault]), BETWEEN) if through else (leaf(ROOT, **GOOD_LEAVES[fault]),)
    assert accepted(by_certificates(*chain))


@pytest.mark.parametrize("fault", range(len(BAD_LEAVES)))
def test_every_fault_of_a_certificate_alone_is_refused(fault: int) -> None:
    assert not attempt(lambda: by_certificates(leaf(ROOT, **BAD_LEAVES[fault])))


@given(st.lists(st.sampled_from(BAD_LEAVES), min_size=1, max_size=3), st.sampled_from(GOOD_LEAVES), st.booleans())
def test_faults_of_a_certificate_do_not_make_up_for_each_other(
    faults: list[dict[str, Any]],
    good: dict[str, Any],
    through: bool,
) -> None:
    wanted: dict[str, Any] = dict(good)
    for fault in faults:
        wanted |= fault
    chain = (BETWEEN,) if through else ()
    assert not attempt(lambda: by_certificates(leaf(BETWEEN if through else ROOT, **wanted), *chain))


def constrained(*, path_length: int | None = None, excluded: str = "", **more: Any) -> Issued:  # noqa: ANN401
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=more.get("ca", True), path_length=path_length), True),
        (more.get("usage") or USAGE_OF_AN_AUTHORITY, True),
    ]
    if excluded:
        subtrees = [x509.UniformResourceIdentifier(excluded)]
        extensions.append((x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=subtrees), True))
    period = more.get("period", {"start": NOW - DAY, "end": NOW + 365 * DAY})
    return issue("constrained", issuer=more.get("issuer", ROOT), extensions=extensions, **period)


def usage(*, issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issuing,
        crl_sign=issuing,
        encipher_only=False,
        decipher_only=False,
    )


USAGE_OF_AN_AUTHORITY = usage(issuing=True)


def chains_of_bad_authorities() -> dict[str, Callable[[], tuple[Issued, ...]]]:
    """A good leaf under an authority that may not have issued it."""

    def under(*above: Issued) -> tuple[Issued, ...]:
        return (leaf(above[0]), *above)

    tight = constrained(path_length=0)
    return {
        "no authority": lambda: under(constrained(ca=False, usage=usage(issuing=False))),
        "no certificate signing": lambda: under(constrained(usage=usage(issuing=False))),
        "expired": lambda: under(constrained(period=EXPIRED)),
        "not yet valid": lambda: under(constrained(period=FUTURE)),
        "path length": lambda: under(constrained(issuer=tight, path_length=0), tight),
        "excluded name": lambda: under(constrained(excluded="hospital.example")),
        "for servers": lambda: under(authority("x", issuer=ROOT, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))),
        "a leaf": lambda: under(leaf(ROOT)),
        "foreign": lambda: (leaf(IMPOSTOR),),
        "foreign with its root": lambda: under(IMPOSTOR),
        "self-signed": lambda: (leaf(None),),
        "missing": lambda: (leaf(BETWEEN),),
        "out of place": lambda: (leaf(ROOT), BETWEEN),
        "twice": lambda: (leaf(BETWEEN), BETWEEN, BETWEEN),
        "too long": lambda: (leaf(ROOT), *[ROOT] * 9),
    }


@pytest.mark.parametrize("fault", sorted(chains_of_bad_authorities()))
def test_every_fault_of_an_authority_is_refused(fault: str) -> None:
    assert not attempt(lambda: by_certificates(*chains_of_bad_authorities()[fault]()))


@pytest.mark.parametrize("weak", ["rsa", "ed25519"])
def test_keys_that_are_not_on_an_accepted_curve_are_refused_whatever_certifies_them(weak: str) -> None:
    private: Any = rsa.generate_private_key(65537, 2048) if weak == "rsa" else ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ROOT.certificate.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(usage(issuing=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectAlternativeName([uri(SAFETY_URI)]), critical=False)
        .sign(ROOT.key.private_key, SHA256())
    )
    good = parse_envelope(by_certificates(leaf(ROOT))["signatures/safety.sig"], what="x")
    message = pre_authentication_encoding(good.payload)
    if weak == "rsa":
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

        made = private.sign(message, PKCS1v15(), SHA256())
    else:
        made = private.sign(message)
    from stepdown.trust.certificates import encode_certificate  # noqa: PLC0415

    forged = Envelope(payload=good.payload, signature=made, certificates=(encode_certificate(certificate),))
    assert not accepted({**CONTENTS, "signatures/safety.sig": render_envelope(forged)})


@pytest.mark.parametrize("at", [NOW - 2 * DAY, NOW + DAY])
def test_a_certificate_that_was_not_valid_at_the_signing_time_is_refused(at: datetime) -> None:
    assert not accepted(by_certificates(leaf(ROOT), at=at))
    assert accepted(by_certificates(leaf(ROOT), at=NOW))
