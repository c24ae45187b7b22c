"""Keys that may sign, and how they are recognised."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stepdown.domain.errors import TrustError
from stepdown.trust.public_keys import (
    is_signed_by,
    key_hint,
    key_id,
    load_public_key,
    public_pem,
    signature_algorithm,
)
from tests.unit.trust.samples import SampleKey, key


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1, SHA256), (ec.SECP384R1, SHA384), (ec.SECP521R1, SHA512)]
)
def test_each_curve_signs_with_the_hash_of_its_size(
    curve: type[ec.EllipticCurve], algorithm: type[HashAlgorithm]
) -> None:
    signer = key("curves", curve)
    signature = signer.sign(b"message")
    assert isinstance(signature_algorithm(signer.public_key).algorithm, algorithm)
    assert is_signed_by(signer.public_key, signature=signature, message=b"message")
    assert not is_signed_by(signer.public_key, signature=signature, message=b"Message")
    assert not is_signed_by(signer.public_key, signature=b"", message=b"message")


def test_a_key_is_known_by_its_digest_and_found_by_that_of_its_pem_text() -> None:
    public_key = key().public_key
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_id(public_key) == hashlib.sha256(der).hexdigest()
    assert key_hint(public_key) == hashlib.sha256(public_pem(public_key)).hexdigest()
    assert key_id(load_public_key(public_pem(public_key), what="x")) == key_id(public_key)


def unsupported() -> list[bytes]:
    others = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    )
    small = SampleKey(private_key=ec.generate_private_key(ec.SECP256K1()))
    pem = [other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for other in others]
    return [*pem, small.public_pem, b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]


@pytest.mark.parametrize("pem", unsupported(), ids=["rsa", "ed25519", "secp256k1", "nothing", "damaged"])
def test_other_keys_are_refused(pem: bytes) -> None:
    with pytest.raises(TrustError) as refused:
        load_public_key(pem, what="x.pem")
    assert refused.value.rule == "KEY_UNSUPPORTED"
