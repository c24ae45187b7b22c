"""Who a signature is by: keys of the policy, certificates under its roots, and everybody else."""

import dataclasses
import json
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from stepdown.domain.bundles import SignerIdentity
from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import reference_to
from stepdown.trust.envelope import parse_envelope, render_envelope
from stepdown.trust.policy import TrustPolicy, parse_trust_policy
from stepdown.trust.public_keys import key_id
from stepdown.trust.signers import verify_signature
from stepdown.trust.signing import sign_files
from tests.unit.trust.samples import (
    ANY_BY_SAFETY,
    ANY_BY_TRAINER,
    DAY,
    NOW,
    NOW_S,
    OFFICER,
    POLICY_HEAD,
    SAFETY,
    SAFETY_URI,
    TRAINER,
    Issued,
    authority,
    key,
    leaf,
    policy,
)

ROOT = authority()
FILES = {"a.txt": b"a"}


def signature(signer: Issued, *chain: Issued) -> bytes:
    certificates = (signer.certificate, *(issued.certificate for issued in chain))
    return sign_files(FILES, signer.key, certificates=certificates)


def verified(text: bytes, by: TrustPolicy | None = None) -> SignerIdentity:
    by = by or policy(SAFETY, ANY_BY_SAFETY, roots=[ROOT.certificate])
    signer, files = verify_signature(text, policy=by, now_s=NOW_S, what="signatures/x.sig")
    assert list(files) == ["a.txt"]
    return signer


def refused(text: bytes, by: TrustPolicy | None = None) -> str:
    with pytest.raises(TrustError) as error:
        verified(text, by)
    return error.value.rule


def without_hint(text: bytes) -> bytes:
    return render_envelope(dataclasses.replace(parse_envelope(text, what="x"), key_hint="")).replace(b'"hint":""', b"")


def test_a_key_signer_is_found_by_the_hint() -> None:
    by = policy(OFFICER, TRAINER, ANY_BY_TRAINER)
    assert verified(sign_files(FILES, key("trainer")), by).name == "trainer"


def test_a_key_signer_is_found_without_a_hint() -> None:
    by = policy(OFFICER, TRAINER, ANY_BY_TRAINER)
    assert verified(without_hint(sign_files(FILES, key("trainer"))), by).name == "trainer"
    assert refused(without_hint(sign_files(FILES, key("stranger"))), by) == "SIGNER_UNKNOWN"


def test_the_hint_of_a_known_key_does_not_make_a_stranger_s_signature_good() -> None:
    by = policy(TRAINER, ANY_BY_TRAINER)
    known = parse_envelope(sign_files(FILES, key("trainer")), what="x")
    forged = parse_envelope(sign_files(FILES, key("stranger")), what="x")
    assert refused(render_envelope(dataclasses.replace(forged, key_hint=known.key_hint)), by) == "SIGNATURE_INVALID"


def test_a_key_is_not_learnt_from_the_signature() -> None:
    assert refused(sign_files(FILES, key("stranger")), policy(TRAINER, ANY_BY_TRAINER)) == "SIGNER_UNKNOWN"


def test_a_certificate_under_the_root_names_its_signer() -> None:
    signer = leaf(ROOT)
    assert verified(signature(signer)) == SignerIdentity(
        key_id=key_id(signer.key.public_key),
        name="safety",
        identities=frozenset({f"uri:{SAFETY_URI}"}),
        path=(reference_to(signer.certificate), reference_to(ROOT.certificate)),
    )
    assert verified(signature(signer, ROOT)).name == "safety"


@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1])
def test_certificates_for_larger_curves_are_accepted(curve: type[ec.EllipticCurve]) -> None:
    assert verified(signature(leaf(ROOT, curve=curve))).name == "safety"


def test_an_intermediate_authority_may_stand_between() -> None:
    between = authority("between", issuer=ROOT)
    assert verified(signature(leaf(between), between)).name == "safety"
    assert refused(signature(leaf(between))) == "CERTIFICATE_UNTRUSTED"


def test_a_root_made_without_a_key_usage_is_a_root_all_the_same_and_an_intermediate_is_not() -> None:
    plain = authority("plain", with_usage=False)
    assert verified(signature(leaf(plain)), policy(SAFETY, ANY_BY_SAFETY, roots=[plain.certificate])).name == "safety"
    between = authority("between", issuer=ROOT, with_usage=False)
    assert refused(signature(leaf(between), between)) == "CERTIFICATE_UNTRUSTED"


@pytest.mark.parametrize(
    ("purpose", "is_good"),
    [
        (ExtendedKeyUsageOID.CODE_SIGNING, True),
        (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, True),
        (ExtendedKeyUsageOID.CLIENT_AUTH, False),
    ],
)
def test_an_authority_limited_to_purposes_must_be_one_for_code_signing(
    purpose: x509.ObjectIdentifier, *, is_good: bool
) -> None:
    between = authority("between", issuer=ROOT, purposes=(purpose,))
    text = signature(leaf(between), between)
    if is_good:
        assert verified(text).name == "safety"
    else:
        assert refused(text) == "CERTIFICATE_UNTRUSTED"


def bad_leaves() -> dict[str, tuple[Issued, str]]:
    elsewhere = (x509.UniformResourceIdentifier("spiffe://hospital.example/cleaning"),)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    serving = (ExtendedKeyUsageOID.SERVER_AUTH,)
    return {
        "expired": (leaf(ROOT, start=NOW - 2 * DAY, end=NOW - DAY), "CERTIFICATE_EXPIRED"),
        "expired a second ago": (leaf(ROOT, end=NOW - timedelta(seconds=1)), "CERTIFICATE_EXPIRED"),
        "not yet valid": (leaf(ROOT, start=NOW + timedelta(seconds=1)), "CERTIFICATE_NOT_YET_VALID"),
        "for TLS servers": (leaf(ROOT, purposes=serving), "CERTIFICATE_PURPOSE"),
        "for no purpose": (leaf(ROOT, purposes=()), "CERTIFICATE_PURPOSE"),
        "for any purpose": (leaf(ROOT, purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)), "CERTIFICATE_PURPOSE"),
        "not for signatures": (leaf(ROOT, signing=False), "CERTIFICATE_PURPOSE"),
        "usage not critical": (leaf(ROOT, critical_usage=False), "CERTIFICATE_PURPOSE"),
        "an authority": (leaf(ROOT, ca=True), "CERTIFICATE_PURPOSE"),
        "of somebody else": (leaf(ROOT, names=elsewhere), "CERTIFICATE_IDENTITY"),
        "the right name of another kind": (
            leaf(ROOT, names=(x509.DNSName("hospital.example"),)),
            "CERTIFICATE_IDENTITY",
        ),
        "of nobody": (leaf(ROOT, names=()), "CERTIFICATE_IDENTITY"),
        "named by address only": (leaf(ROOT, names=(x509.DirectoryName(x509.Name([])),)), "CERTIFICATE_IDENTITY"),
        "foreign root": (leaf(authority("foreign")), "CERTIFICATE_UNTRUSTED"),
        "a root of the same name": (leaf(authority("root")), "CERTIFICATE_UNTRUSTED"),
        "signed by itself": (leaf(None), "CERTIFICATE_UNTRUSTED"),
        "an unknown critical extension": (leaf(ROOT, more=[(unknown, True)]), "CERTIFICATE_UNTRUSTED"),
        "issued by a leaf": (leaf(leaf(ROOT, owner="middle")), "CERTIFICATE_UNTRUSTED"),
        "for an unsupported curve": (leaf(ROOT, curve=ec.SECP256K1), "KEY_UNSUPPORTED"),
    }


@pytest.mark.parametrize("case", bad_leaves())
def test_a_certificate_that_may_not_sign_is_refused_by_rule(case: str) -> None:
    bad, rule = bad_leaves()[case]
    good = signature(leaf(ROOT))
    forged = dataclasses.replace(
        parse_envelope(good, what="x"), certificates=(bad.certificate.public_bytes(Encoding.DER),)
    )
    assert refused(render_envelope(forged)) == rule


def test_what_is_expired_above_the_leaf_is_refused_too() -> None:
    between = authority("between", issuer=ROOT, end=NOW - timedelta(hours=1))
    assert refused(signature(leaf(between), between)) == "CERTIFICATE_EXPIRED"
    old = authority("old", end=NOW - timedelta(hours=1))
    by = policy(SAFETY, ANY_BY_SAFETY, roots=[old.certificate])
    assert refused(signature(leaf(old)), by) == "CERTIFICATE_UNTRUSTED"


def test_a_certificate_the_path_does_not_use_is_refused() -> None:
    assert refused(signature(leaf(ROOT), authority("passenger", issuer=ROOT))) == "CERTIFICATE_UNTRUSTED"


def test_a_good_certificate_over_another_statement_is_refused() -> None:
    envelope = parse_envelope(signature(leaf(ROOT)), what="x")
    other = envelope.payload.replace(b"a.txt", b"b.txt")
    assert refused(render_envelope(dataclasses.replace(envelope, payload=other))) == "SIGNATURE_INVALID"


def test_damaged_certificates_are_refused() -> None:
    envelope = parse_envelope(signature(leaf(ROOT)), what="x")
    for der in (b"", b"\x30\x00", envelope.certificates[0][:-1]):
        assert refused(render_envelope(dataclasses.replace(envelope, certificates=(der or b"0",)))) == (
            "CERTIFICATE_MALFORMED"
        )


def test_a_policy_without_roots_knows_no_certificate() -> None:
    assert refused(signature(leaf(ROOT)), policy(TRAINER, ANY_BY_TRAINER)) == "SIGNER_UNKNOWN"


def test_the_signer_is_the_one_whose_name_fits_among_those_whose_roots_do() -> None:
    cleaning = SAFETY.replace('"safety"', '"cleaning"').replace("/safety", "/cleaning")
    elsewhere = SAFETY.replace('"safety"', '"elsewhere"').replace("/safety", "/other").replace("root.pem", "other.pem")
    text = f"{POLICY_HEAD}{elsewhere}{cleaning}{SAFETY}{ANY_BY_SAFETY}"
    roots = {
        "root.pem": ROOT.certificate.public_bytes(Encoding.PEM),
        "other.pem": authority("other").certificate.public_bytes(Encoding.PEM),
    }
    assert verified(signature(leaf(ROOT)), parse_trust_policy(text.encode(), roots)).name == "safety"


def test_denied_serials_and_keys_are_refused_along_the_whole_path() -> None:
    between = authority("between", issuer=ROOT)
    signer = leaf(between)
    text = signature(signer, between)
    for denied in (signer, between, ROOT):
        serial = f'[denylist]\ncertificate_serials = ["{denied.certificate.serial_number:X}"]\n'
        by_key = f'[denylist]\nkey_ids = ["{key_id(denied.key.public_key)}"]\n'
        roots = [ROOT.certificate]
        assert refused(text, policy(SAFETY, ANY_BY_SAFETY, serial, roots=roots)) == "CERTIFICATE_DENIED"
        assert refused(text, policy(SAFETY, ANY_BY_SAFETY, by_key, roots=roots)) == "KEY_DENIED"


def test_the_older_media_types_are_not_read() -> None:
    document = json.loads(signature(leaf(ROOT)))
    document["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    assert refused(json.dumps(document).encode()) == "SIGNATURE_FORMAT_UNSUPPORTED"


def test_a_certificate_that_names_two_of_the_policy_s_signers_names_neither() -> None:
    names = tuple(x509.UniformResourceIdentifier(uri) for uri in (SAFETY_URI, "spiffe://hospital.example/trainer"))
    twin = SAFETY.replace("safety", "trainer")
    by = policy(SAFETY, twin, ANY_BY_SAFETY, roots=[ROOT.certificate])
    assert verified(signature(leaf(ROOT)), by).name == "safety"
    assert refused(signature(leaf(ROOT, names=names)), by) == "CERTIFICATE_IDENTITY"


def test_a_certificate_denied_by_issuer_and_serial_is_refused_and_its_namesake_is_not() -> None:
    signer, other = leaf(ROOT), leaf(ROOT)
    denied = f'[[denylist.certificates]]\nissuer = "CN=root"\nserial = "{signer.certificate.serial_number:x}"\n'
    by = policy(SAFETY, ANY_BY_SAFETY, denied, roots=[ROOT.certificate])
    assert refused(signature(signer), by) == "CERTIFICATE_DENIED"
    assert verified(signature(other), by).name == "safety"


def signed_at(moment_s: float, signer: Issued) -> bytes:
    return sign_files(FILES, signer.key, certificates=(signer.certificate,), signed_time_s=moment_s)


@pytest.mark.parametrize(
    ("moment", "rule"),
    [
        (NOW - 2 * DAY, "CERTIFICATE_NOT_YET_VALID"),
        (NOW + timedelta(hours=1), "SIGNING_TIME_INVALID"),
    ],
)
def test_a_certificate_must_have_been_valid_when_it_signed(moment: datetime, rule: str) -> None:
    assert refused(signed_at(moment.timestamp(), leaf(ROOT))) == rule
    assert verified(signed_at(NOW_S, leaf(ROOT))).name == "safety"
    by = policy(TRAINER, ANY_BY_TRAINER)
    assert verified(sign_files(FILES, key("trainer"), signed_time_s=(NOW - 2 * DAY).timestamp()), by).name == "trainer"
