"""Signing: what is signed, and what nobody gets to sign with."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from stepdown.domain.errors import TrustError
from stepdown.trust.envelope import parse_envelope
from stepdown.trust.public_keys import is_signed_by, key_hint
from stepdown.trust.signing import check_signing_certificate, sign_files
from stepdown.trust.statement import parse_statement
from tests.unit.trust.samples import NOW_S, SAFETY_URI, SampleKey, authority, key, leaf


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TwoFacedKey:
    """Shows one public half and signs with another key."""

    shown: SampleKey
    used: SampleKey

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.shown.public_key

    def sign(self, message: bytes) -> bytes:
        return self.used.sign(message)


def test_every_file_outside_the_signatures_is_signed_for() -> None:
    envelope = parse_envelope(sign_files({"b": b"2", "a": b"1", "signatures/old.sig": b"x"}, key()), what="x")
    assert list(parse_statement(envelope.payload, what="x").files) == ["a", "b"]
    assert is_signed_by(key().public_key, signature=envelope.signature, message=envelope.signed_bytes)
    assert (envelope.key_hint, envelope.certificates) == (key_hint(key().public_key), ())


def test_with_a_certificate_the_chain_travels_along() -> None:
    root = authority()
    chain = (leaf(root).certificate, root.certificate)
    envelope = parse_envelope(sign_files({"a": b"1"}, key(), certificates=chain), what="x")
    assert (len(envelope.certificates), envelope.key_hint) == (2, "")


@pytest.mark.parametrize(
    ("files", "signer", "rule"),
    [
        ({"../a": b""}, key(), "FILE_NAME_UNSAFE"),
        ({"a": b"", "A": b""}, key(), "FILE_NAME_COLLISION"),
        ({"a": b""}, key("small", ec.SECP256K1), "KEY_UNSUPPORTED"),
        ({"a": b""}, TwoFacedKey(shown=key("trainer"), used=key("stranger")), "SIGNATURE_INVALID"),
    ],
)
def test_what_could_not_be_verified_is_not_signed(
    files: dict[str, bytes], signer: SampleKey | TwoFacedKey, rule: str
) -> None:
    with pytest.raises(TrustError) as refused:
        sign_files(files, signer)
    assert refused.value.rule == rule


def test_a_signing_certificate_is_checked_before_it_is_used() -> None:
    root = authority()
    good = leaf(root)
    serving = leaf(root, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))
    assert check_signing_certificate(good.certificate, key(), now_s=NOW_S, what="x") == {f"uri:{SAFETY_URI}"}
    with pytest.raises(TrustError, match="CERTIFICATE_PURPOSE"):
        check_signing_certificate(serving.certificate, key(), now_s=NOW_S, what="x")
    with pytest.raises(TrustError, match="certifies another key"):
        check_signing_certificate(good.certificate, key("stranger"), now_s=NOW_S, what="x")
