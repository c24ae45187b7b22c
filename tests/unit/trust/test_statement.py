"""Signed statements: what they sign for, and what a signer may not choose."""

import hashlib
import json
from functools import reduce
from operator import getitem

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.statement import SIGNED_ON, parse_statement, render_statement

DIGESTS = {"b/model.onnx": hashlib.sha256(b"model").hexdigest(), "a.toml": hashlib.sha256(b"").hexdigest()}


def with_member(*path: str | int, value: object) -> bytes:
    """A statement in which the member at `path` is `value`."""
    document = json.loads(render_statement("sample", DIGESTS))
    reduce(getitem, path[:-1], document)[path[-1]] = value
    return json.dumps(document).encode()


def test_what_is_written_is_read() -> None:
    assert parse_statement(render_statement("sample", DIGESTS), what="x").files == DIGESTS


def test_the_subject_s_digest_is_over_the_files_digests_in_order_of_name() -> None:
    root = hashlib.sha256(hashlib.sha256(b"").digest() + hashlib.sha256(b"model").digest()).hexdigest()
    document = json.loads(render_statement("sample", DIGESTS))
    assert document["subject"] == [{"name": "sample", "digest": {"sha256": root}}]


def test_members_that_the_format_tells_readers_to_ignore_are_ignored() -> None:
    assert parse_statement(with_member("predicate", "future", value=True), what="x").files == DIGESTS
    assert parse_statement(with_member("predicate", "resources", 0, "note", value="x"), what="x").files == DIGESTS


def test_paths_the_signer_wants_ignored_are_not() -> None:
    wish = with_member("predicate", "serialization", "ignore_paths", value=["a.toml"])
    assert parse_statement(wish, what="x").files == DIGESTS


SUBJECT = ("subject", 0)
SERIALIZATION = ("predicate", "serialization")
RESOURCE = ("predicate", "resources", 0)


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1", "SIGNATURE_FORMAT_UNSUPPORTED"),
        (("predicateType",), "https://model_signing/Digests/v0.1", "SIGNATURE_FORMAT_UNSUPPORTED"),
        ((*SERIALIZATION, "method"), "shards", "SIGNATURE_FORMAT_UNSUPPORTED"),
        ((*SERIALIZATION, "hash_type"), "blake3", "SIGNATURE_FORMAT_UNSUPPORTED"),
        ((*RESOURCE, "algorithm"), "blake2", "SIGNATURE_FORMAT_UNSUPPORTED"),
        ((*RESOURCE, "algorithm"), None, "STATEMENT_MALFORMED"),
        ((*RESOURCE, "digest"), "AB" * 32, "STATEMENT_MALFORMED"),
        ((*RESOURCE, "digest"), "ab", "STATEMENT_MALFORMED"),
        ((*RESOURCE, "digest"), "0" * 64, "STATEMENT_MALFORMED"),
        ((*RESOURCE, "name"), "../a.toml", "FILE_NAME_UNSAFE"),
        ((*RESOURCE, "name"), "/a.toml", "FILE_NAME_UNSAFE"),
        ((*RESOURCE, "name"), "b\\model.onnx", "FILE_NAME_UNSAFE"),
        ((*RESOURCE, "name"), "b/model.onnx", "FILE_NAME_COLLISION"),
        ((*RESOURCE, "name"), "B/model.onnx", "FILE_NAME_COLLISION"),
        ((*RESOURCE, "name"), 1, "STATEMENT_MALFORMED"),
        (RESOURCE, "a.toml", "STATEMENT_MALFORMED"),
        (("predicate", "resources"), {}, "STATEMENT_MALFORMED"),
        (("predicate",), [], "STATEMENT_MALFORMED"),
        (("subject",), [], "STATEMENT_MALFORMED"),
        (("subject",), [{}, {}], "STATEMENT_MALFORMED"),
        ((*SUBJECT, "name"), None, "STATEMENT_MALFORMED"),
        ((*SUBJECT, "digest", "sha512"), "00", "STATEMENT_MALFORMED"),
        ((*SUBJECT, "digest", "sha256"), "0" * 64, "STATEMENT_MALFORMED"),
    ],
)
def test_a_statement_in_another_form_is_refused(path: tuple[str | int, ...], value: object, rule: str) -> None:
    with pytest.raises(TrustError) as refused:
        parse_statement(with_member(*path, value=value), what="x")
    assert refused.value.rule == rule


def test_a_key_said_twice_is_refused_although_it_is_signed() -> None:
    text = render_statement("sample", DIGESTS).replace(b'"subject"', b'"_type": "", "subject"')
    with pytest.raises(TrustError, match="said twice"):
        parse_statement(text, what="x")


def test_the_time_of_signing_is_signed_for_in_whole_seconds() -> None:
    said = parse_statement(render_statement("sample", DIGESTS, signed_time_s=1_800_000_000.9), what="x")
    assert said.signed_time_s == 1_800_000_000.0
    assert parse_statement(render_statement("sample", DIGESTS), what="x").signed_time_s is None


@pytest.mark.parametrize(
    "text", ["now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z", 5]
)
def test_a_time_of_signing_is_written_one_way_only(text: object) -> None:
    with pytest.raises(TrustError) as refused:
        parse_statement(with_member("predicate", SIGNED_ON, value=text), what="x")
    assert refused.value.rule == "STATEMENT_MALFORMED"
