import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from stepdown.domain.errors import TrustError
from stepdown.trust.encryption_keys import (
    checked_data_key,
    read_rsa_private_key,
    read_rsa_public_key,
    read_secret,
    unwrap_by_rsa,
    unwrap_by_secret,
    wrap_by_rsa,
    wrap_by_secret,
)
from stepdown.trust.encryption_wrapping import Wrapping

DATA_KEY, SECRET, NONCE = bytes(range(32)), b"s" * 32, b"n" * 12
RSA_KEY = rsa.generate_private_key(65537, 2048)
SMALL_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_secret_opens_what_it_wrapped_for_the_same_bundle_only() -> None:
    wrapped = wrap_by_secret(DATA_KEY, secret=SECRET, nonce=NONCE, bound_to=b"full 1.0.0")
    assert unwrap_by_secret(wrapped, secret=SECRET, bound_to=b"full 1.0.0") == DATA_KEY
    for other in (
        {"secret": SECRET, "bound_to": b"full 1.0.1"},
        {"secret": b"t" * 32, "bound_to": b"full 1.0.0"},
    ):
        with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
            unwrap_by_secret(wrapped, **other)
    with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
        unwrap_by_secret(b"short", secret=SECRET, bound_to=b"full 1.0.0")


@pytest.mark.parametrize("wrapping", [Wrapping.RSA_OAEP_SHA256, Wrapping.RSA_OAEP_SHA1])
def test_the_private_half_opens_what_the_public_half_wrapped(wrapping: Wrapping) -> None:
    public = read_rsa_public_key(public_pem(RSA_KEY), what="key")
    private = read_rsa_private_key(private_pem(RSA_KEY), what="key")
    assert read_rsa_public_key(public_pem(RSA_KEY, Encoding.DER), what="key").key_size == 2048
    wrapped = wrap_by_rsa(DATA_KEY, key=public, wrapping=wrapping)
    assert unwrap_by_rsa(wrapped, key=private, wrapping=wrapping) == DATA_KEY
    with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
        unwrap_by_rsa(wrapped[:-1], key=private, wrapping=wrapping)


def test_a_secret_is_64_hexadecimal_digits() -> None:
    assert read_secret(SECRET.hex().encode() + b"\n", what="file") == SECRET
    for text in (b"00", b"\xff", b"zz" * 32):
        with pytest.raises(TrustError, match="KEY_UNSUPPORTED: file"):
            read_secret(text, what="file")


@pytest.mark.parametrize("key", [SMALL_KEY, EC_KEY])
def test_a_key_that_cannot_wrap_is_refused(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    for read, text in ((read_rsa_public_key, public_pem(key)), (read_rsa_private_key, private_pem(key))):
        with pytest.raises(TrustError, match="KEY_UNSUPPORTED: file is not an RSA key of 2048"):
            read(text, what="file")
    for read in (read_rsa_public_key, read_rsa_private_key):
        with pytest.raises(TrustError, match="KEY_UNSUPPORTED: file holds no"):
            read(b"-----BEGIN NONSENSE-----", what="file")


def test_what_comes_out_of_a_wrapping_must_be_a_data_key() -> None:
    assert checked_data_key(DATA_KEY) == DATA_KEY
    with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
        checked_data_key(b"short")
