"""Laws of sealed files: what was sealed comes back, and nothing else ever does."""

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import TrustError
from stepdown.trust.encryption_chunks import CHUNK_BYTES, MAGIC, TAG_BYTES, FileBinding, open_file, seal_file

KEY, SALT = bytes(range(32)), bytes(32)
CHUNK = 16

plains = st.binary(max_size=5 * CHUNK)


def binding(plain: bytes, **changed: object) -> FileBinding:
    made = FileBinding(
        bundle="sepsis-full", version="1.0.0", path="model.onnx", plain_bytes=len(plain), chunk_bytes=CHUNK
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def sealed(plain: bytes) -> bytes:
    return seal_file(plain, binding(plain), data_key=KEY, salt=SALT)


def opened(content: bytes, bound: FileBinding, *, sha256: str, key: bytes = KEY, salt: bytes = SALT) -> bytes:
    into = bytearray(bound.plain_bytes)
    open_file(content, bound, data_key=key, salt=salt, sha256=sha256, into=memoryview(into))
    return bytes(into)


def digest(plain: bytes) -> str:
    return hashlib.sha256(plain).hexdigest()


def refused(content: bytes, bound: FileBinding, plain: bytes, *, key: bytes = KEY, salt: bytes = SALT) -> None:
    with pytest.raises(TrustError, match=r"CIPHERTEXT_INVALID: (model|other)\.onnx"):
        opened(content, bound, sha256=digest(plain), key=key, salt=salt)


@given(plains)
def test_what_was_sealed_comes_back_and_shows_nothing_of_itself(plain: bytes) -> None:
    content = sealed(plain)
    assert len(content) == binding(plain).sealed_bytes
    assert opened(content, binding(plain), sha256=digest(plain)) == plain
    if len(plain) >= 8:
        assert plain not in content[len(MAGIC) :]


@given(plains, st.data())
def test_no_byte_can_be_changed(plain: bytes, data: st.DataObject) -> None:
    content = bytearray(sealed(plain))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    refused(bytes(content), binding(plain), plain)


@given(st.binary(min_size=CHUNK + 1, max_size=5 * CHUNK), st.data())
def test_chunks_cannot_be_exchanged_repeated_or_left_out_at_any_length(plain: bytes, data: st.DataObject) -> None:
    content, step = sealed(plain), CHUNK + TAG_BYTES
    chunks = [content[at : at + step] for at in range(len(MAGIC), len(content), step)]
    taken = data.draw(st.lists(st.sampled_from(range(len(chunks))), max_size=len(chunks) + 1))
    if taken != list(range(len(chunks))):
        other = MAGIC + b"".join(chunks[place] for place in taken)
        for length in {len(plain), max(0, len(other) - len(MAGIC) - TAG_BYTES * len(taken))}:
            refused(other, binding(plain, plain_bytes=length), plain)


@given(plains, st.sampled_from(["bundle", "version", "path", "key", "salt", "chunk_bytes"]))
def test_nothing_it_is_bound_to_can_be_exchanged(plain: bytes, part: str) -> None:
    changes: dict[str, object] = {
        "bundle": "sepsis-ful",
        "version": "1.0.1",
        "path": "other.onnx",
        "chunk_bytes": CHUNK * 100,
    }
    bound = binding(plain, **{part: changes[part]}) if part in changes else binding(plain)
    key = bytes(32) if part == "key" else KEY
    refused(sealed(plain), bound, plain, key=key, salt=b"\1" * 32 if part == "salt" else SALT)


@given(plains)
def test_a_content_that_opens_and_is_not_the_one_that_was_signed_for_is_refused(plain: bytes) -> None:
    refused(sealed(plain), binding(plain), plain + b"?")


@pytest.mark.parametrize("length", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_the_chunks_of_large_files_meet_at_their_edges(length: int) -> None:
    plain = bytes(length)
    bound = binding(plain, chunk_bytes=CHUNK_BYTES)
    content = seal_file(plain, bound, data_key=KEY, salt=SALT)
    assert opened(content, bound, sha256=digest(plain)) == plain
