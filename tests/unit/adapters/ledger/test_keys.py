from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stepdown.adapters.ledger.keys import (
    DigestKey,
    ensure_ledger_keys,
    is_signed,
    read_digest_key,
    read_note_signer,
    read_verifier_key,
    verifier_key_path,
)
from stepdown.domain.records import LedgerError

NAME = "hospital.example/ledger"


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    signing, digests = tmp_path / "keys" / "ledger.key.pem", tmp_path / "keys" / "digests.key"
    ensure_ledger_keys(signing_key=signing, digest_key=digests, name=NAME)
    made = (signing.read_bytes(), digests.read_bytes())
    ensure_ledger_keys(signing_key=signing, digest_key=digests, name=NAME)
    assert (signing.read_bytes(), digests.read_bytes()) == made
    assert [oct(path.stat().st_mode & 0o777) for path in (signing, digests)] == ["0o600", "0o600"]


def test_what_the_key_signs_its_public_half_confirms(tmp_path: Path) -> None:
    signing = tmp_path / "ledger.key.pem"
    ensure_ledger_keys(signing_key=signing, digest_key=tmp_path / "d", name=NAME)
    signer, key = read_note_signer(signing, name=NAME), read_verifier_key(tmp_path / "ledger.vkey")
    assert verifier_key_path(signing) == tmp_path / "ledger.vkey"
    assert signer.key == key
    assert is_signed(key.public_key, signer.sign(b"text"), b"text")
    assert not is_signed(key.public_key, signer.sign(b"text"), b"other")
    assert not is_signed(b"short", signer.sign(b"text"), b"text")


def test_a_digest_cannot_be_made_without_the_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ensure_ledger_keys(signing_key=tmp_path / f"{name}.pem", digest_key=tmp_path / name, name=NAME)
    one, other = read_digest_key(tmp_path / "a"), read_digest_key(tmp_path / "b")
    assert one.digest(b"HR 80") != other.digest(b"HR 80")
    assert len(one.digest(b"HR 80")) == 64
    assert one.digest(b"HR 80") == read_digest_key(tmp_path / "a").digest(b"HR 80")
    assert one.secret.hex() not in repr(one)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    curve = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(LedgerError, match="not an Ed25519 key"):
        read_note_signer(file, name=NAME)
    for content in (b"nothing", b"ab" * 31, b"\xff"):
        file.write_bytes(content)
        with pytest.raises(LedgerError, match="no PEM private key"):
            read_note_signer(file, name=NAME)
        with pytest.raises(LedgerError, match="hexadecimal"):
            read_digest_key(file)
        with pytest.raises(LedgerError, match="not a verifier key"):
            read_verifier_key(file)


def test_what_is_sealed_opens_with_the_same_key_for_the_same_record_alone() -> None:
    one, other = DigestKey(secret=b"\x01" * 32), DigestKey(secret=b"\x02" * 32)
    sealed = one.seal(b"canary", "record 1")
    assert one.unseal(sealed, "record 1") == b"canary"
    assert b"canary" not in bytes.fromhex(sealed)
    assert sealed != one.seal(b"canary", "record 1")
    for key, said, bound_to in (
        (other, sealed, "record 1"),
        (one, sealed, "record 2"),
        (one, "00", ""),
        (one, "x", ""),
    ):
        with pytest.raises(LedgerError, match="not sealed with this key"):
            key.unseal(said, bound_to)
    flipped = bytearray.fromhex(sealed)
    flipped[-1] ^= 1
    with pytest.raises(LedgerError, match="not sealed with this key"):
        one.unseal(flipped.hex(), "record 1")
