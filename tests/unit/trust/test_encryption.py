import hashlib
import json

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from stepdown.trust.encryption import (
    ENCRYPTION_FILE,
    Encryption,
    SealedMember,
    WrappedKey,
    encryption_of,
    plain_digests,
    render_encryption,
    sealable_files,
)
from stepdown.trust.encryption_chunks import FileBinding, seal_file
from stepdown.trust.encryption_wrapping import Wrapping
from stepdown.trust.manifest import parse_manifest
from tests.unit.trust.samples import model_contents, rules_contents

KEY, SALT = bytes(32), bytes(range(32))


def sealed_bundle(*, version: str = "") -> dict[str, bytes]:
    """The sample model, sealed; for another version than its own if one is named."""
    files = model_contents()
    manifest = parse_manifest(files["manifest.toml"])
    members = tuple(
        SealedMember(
            binding=FileBinding(
                bundle=manifest.name, version=version or manifest.version, path=path, plain_bytes=len(files[path])
            ),
            sha256=hashlib.sha256(files[path]).hexdigest(),
        )
        for path in sealable_files(manifest)
    )
    encryption = Encryption(
        bundle=manifest.name,
        version=version or manifest.version,
        salt=SALT,
        data_key=WrappedKey(wrapping=Wrapping.AES_256_GCM, key="hospital", wrapped=b"w" * 60),
        members=members,
    )
    for member in members:
        path = member.binding.path
        files[path] = seal_file(files[path], member.binding, data_key=KEY, salt=SALT)
    return {**files, ENCRYPTION_FILE: render_encryption(encryption)}


def test_a_sealed_bundle_is_examined_without_its_key_and_opened_with_it() -> None:
    files, plain = sealed_bundle(), model_contents()
    manifest = examine_contents(files)
    encryption = encryption_of(files)
    assert encryption is not None
    assert encryption.bound_to == f"stepdown/encryption/v1 {manifest.name} {manifest.version}".encode()
    for path in sealable_files(manifest):
        assert plain[path] not in files[path]
        into = bytearray(len(plain[path]))
        encryption.open(path, files[path], data_key=KEY, into=memoryview(into))
        assert bytes(into) == plain[path]
    assert plain_digests(files) == {path: hashlib.sha256(plain[path]).hexdigest() for path in sealable_files(manifest)}
    assert "wrapped=" not in repr(encryption)


def test_a_bundle_in_the_clear_has_no_encryption() -> None:
    assert encryption_of(model_contents()) is None
    assert plain_digests(model_contents()) == {}


def test_a_bundle_sealed_for_another_version_is_refused() -> None:
    with pytest.raises(TrustError, match=r"ENCRYPTION_INVALID: .*'9\.9\.9'"):
        examine_contents(sealed_bundle(version="9.9.9"))


def test_only_a_model_and_its_weights_can_be_sealed() -> None:
    rules = rules_contents()
    document = sealed_bundle()[ENCRYPTION_FILE]
    manifest = parse_manifest(rules["manifest.toml"])
    text = json.loads(document) | {"name": manifest.name, "version": manifest.version}
    with pytest.raises(TrustError, match="only a model and its weights"):
        examine_contents({**rules, ENCRYPTION_FILE: json.dumps(text).encode()})


@pytest.mark.parametrize("content", [b"", b"stepdown sealed1", b"stepdown sealed1" + bytes(100)])
def test_a_file_that_is_not_in_its_sealed_form_is_refused(content: bytes) -> None:
    files = sealed_bundle()
    path = sealable_files(parse_manifest(files["manifest.toml"]))[0]
    with pytest.raises(TrustError, match="CIPHERTEXT_INVALID"):
        examine_contents({**files, path: content})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schema",), "stepdown/encryption/v2"),
        (("more",), 1),
        (("salt",), "AAAA"),
        (("salt",), "?"),
        (("members",), []),
        (("data_key", "wrapping"), "ROT13"),
        (("data_key", "wrapped"), ""),
        (("members", 0, "sha256"), "ABC"),
        (("members", 0, "bytes"), -1),
        (("members", 0, "bytes"), True),
        (("members", 0, "chunk_bytes"), 0),
        (("members", 0, "chunk_bytes"), 1 << 30),
        (("members", 0, "chunk_bytes"), "many"),
    ],
)
def test_a_document_that_is_not_as_it_must_be_is_refused(place: tuple[str | int, ...], value: object) -> None:
    document = json.loads(sealed_bundle()[ENCRYPTION_FILE])
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(TrustError, match="ENCRYPTION_INVALID") as refusal:
        encryption_of({ENCRYPTION_FILE: json.dumps(document).encode()})
    assert str(place[-1]) in refusal.value.detail


@pytest.mark.parametrize("key", ["name", "version"])
def test_a_document_for_another_bundle_is_refused(key: str) -> None:
    document = json.loads(sealed_bundle()[ENCRYPTION_FILE]) | {key: "2.0.0"}
    with pytest.raises(TrustError, match="ENCRYPTION_INVALID: encryption.json is for"):  # noqa: RUF043
        examine_contents({**sealed_bundle(), ENCRYPTION_FILE: json.dumps(document).encode()})


def test_a_file_is_named_once() -> None:
    document = json.loads(sealed_bundle()[ENCRYPTION_FILE])
    document["members"] *= 2
    with pytest.raises(TrustError, match="each named once"):
        encryption_of({ENCRYPTION_FILE: json.dumps(document).encode()})
