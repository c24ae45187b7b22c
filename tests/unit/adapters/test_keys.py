"""Keys and policies in files."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from stepdown.adapters.keys import (
    PassphraseRequiredError,
    create_signing_key,
    public_key_path,
    read_certificates,
    read_public_key,
    read_signing_key,
    replace_file,
    signer_name,
)
from stepdown.domain.errors import TrustError
from stepdown.trust.public_keys import is_signed_by
from tests.unit.trust.samples import authority, key


def write_key(path: Path, private_key: PrivateKeyTypes, passphrase: bytes | None = None) -> Path:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    path.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return path


def refused(path: Path, passphrase: bytes | None = None) -> TrustError:
    with pytest.raises(TrustError) as error:
        read_signing_key(path, passphrase=passphrase)
    return error.value


def test_a_new_key_is_its_owner_s_alone_and_signs(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "me.key.pem"
    public_path = create_signing_key(path)
    assert (path.stat().st_mode & 0o777, public_path.name) == (0o600, "me.pub.pem")
    signer = read_signing_key(path)
    assert is_signed_by(read_public_key(public_path), signature=signer.sign(b"m"), message=b"m")
    assert "private" not in repr(signer)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "me.key.pem"
    create_signing_key(path)
    before = path.read_bytes()
    with pytest.raises(TrustError, match="not overwritten"):
        create_signing_key(path)
    assert path.read_bytes() == before


def test_a_key_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrustError, match="KEY_UNREADABLE"):
        create_signing_key(tmp_path / "file" / "keys" / "me.key.pem")


@pytest.mark.parametrize(
    ("name", "signer"),
    [("me.key.pem", "me"), ("me-key.pem", "me"), ("me.pem", "me"), ("me.pub.pem", "me"), ("key", "key")],
)
def test_a_key_file_s_name_says_whose_it_is(name: str, signer: str) -> None:
    assert signer_name(Path("keys") / name) == signer
    assert public_key_path(Path("keys") / name) == Path("keys") / f"{signer}.pub.pem"


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    path = write_key(tmp_path / "me.pem", ec.generate_private_key(ec.SECP384R1()), b"secret")
    assert read_signing_key(path, passphrase=b"secret").public_key.curve.name == "secp384r1"
    assert "does not open with this passphrase" in refused(path, b"other").detail
    with pytest.raises(PassphraseRequiredError):
        read_signing_key(path)


def test_a_passphrase_for_a_key_that_has_none_is_no_obstacle(tmp_path: Path) -> None:
    path = write_key(tmp_path / "me.pem", ec.generate_private_key(ec.SECP256R1()))
    assert read_signing_key(path, passphrase=b"needless").public_key == read_signing_key(path).public_key


@pytest.mark.parametrize(
    "other",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["rsa", "ed25519", "secp256k1"],
)
def test_other_kinds_of_keys_cannot_sign(tmp_path: Path, other: PrivateKeyTypes) -> None:
    assert refused(write_key(tmp_path / "me.pem", other)).rule == "KEY_UNSUPPORTED"


def test_what_holds_no_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "me.pem"
    assert "No such file" in refused(path).detail
    path.write_bytes(b"text")
    assert "holds no PEM private key" in refused(path).detail
    path.write_bytes(b"x" * (1 << 20) + b"y")
    assert "longer than" in refused(path).detail
    assert "not a usable path" in refused(Path("a\0b")).detail


def test_certificates_are_read_from_several_files(tmp_path: Path) -> None:
    roots = [authority("a"), authority("b")]
    paths = tuple(tmp_path / f"{place}.pem" for place, _ in enumerate(roots))
    for path, root in zip(paths, roots, strict=True):
        path.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    assert read_certificates(paths) == tuple(root.certificate for root in roots)


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / "file.new").write_text("left by a crash")
    replace_file(path, b"one", mode=0o600)
    replace_file(path, b"two", mode=0o644)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o644)
    assert list(tmp_path.iterdir()) == [path]


def test_the_sample_key_and_the_file_key_agree(tmp_path: Path) -> None:
    path = write_key(tmp_path / "me.pem", key().private_key)
    assert read_signing_key(path).public_key == key().public_key
