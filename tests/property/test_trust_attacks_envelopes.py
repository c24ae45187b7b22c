"""Attacks by signature files, made by machine: of the bad none is accepted, of the good all are.

Envelopes are rewritten around a good signature, payloads are written anew and signed by a trusted key, and file sets
are rearranged.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import TrustError
from stepdown.trust.envelope import Envelope, pre_authentication_encoding, render_envelope
from stepdown.trust.public_keys import key_hint, signature_algorithm
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import (
    ANY_BY_TRAINER,
    NOW_S,
    TRAINER,
    key,
    policy,
    rules_contents,
    signed,
)

BY_KEY = policy(TRAINER, ANY_BY_TRAINER)
CONTENTS = rules_contents()


def accepted(files: dict[str, bytes]) -> bool:
    """Anything but an acceptance or a TrustError fails the test."""
    try:
        verify_bundle("news2", "1.2.0", files, BY_KEY, NOW_S)
    except TrustError:
        return False
    return True


GOOD_SIGNATURE = signed(CONTENTS)["signatures/trainer.sig"]
GOOD_DOCUMENT: dict[str, Any] = json.loads(GOOD_SIGNATURE)


def with_signature(text: bytes) -> dict[str, bytes]:
    return {**CONTENTS, "signatures/trainer.sig": text}


def rewritten(*path: str | int, value: object = None) -> bytes:
    """The signature file with one member set to something else."""
    document = json.loads(GOOD_SIGNATURE)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return json.dumps(document, separators=(",", ":")).encode()


@pytest.mark.parametrize("written", [None, 2])
def test_the_good_signature_is_accepted_as_any_json_writer_writes_it(written: int | None) -> None:
    assert accepted(with_signature(json.dumps(GOOD_DOCUMENT, indent=written).encode()))


DSSE = "dsseEnvelope"
MATERIAL = "verificationMaterial"
OTHER_HINT = {"hint": key_hint(key("stranger").public_key)}


@pytest.mark.parametrize(
    "text",
    [
        rewritten(DSSE, "payloadType", value="application/vnd.in-toto+json; charset=utf-8"),
        rewritten(DSSE, "payloadType", value="application/json"),
        rewritten("mediaType", value="application/vnd.dev.sigstore.bundle+json;version=0.1"),
        rewritten(DSSE, "signatures", value=[]),
        rewritten(DSSE, "signatures", value=GOOD_DOCUMENT[DSSE]["signatures"] * 2),
        rewritten(DSSE, "signatures", 0, "keyid", value="trainer"),
        rewritten(DSSE, "signatures", 0, "sig", value=""),
        rewritten(DSSE, "signatures", 0, "sig", value=GOOD_DOCUMENT[DSSE]["signatures"][0]["sig"] + "AA=="),
        rewritten(DSSE, "signatures", 0, "note", value="x"),
        rewritten(DSSE, "payload", value=GOOD_DOCUMENT[DSSE]["payload"] + "Cg=="),
        rewritten(MATERIAL, "tlogEntries", value=[{}]),
        rewritten(MATERIAL, "timestampVerificationData", value={}),
        rewritten(MATERIAL, "certificate", value={"rawBytes": ""}),
        rewritten(MATERIAL, "publicKey", value=OTHER_HINT),
        rewritten("messageSignature", value={}),
        GOOD_SIGNATURE + b" ",
        b"\xef\xbb\xbf" + GOOD_SIGNATURE,
        GOOD_SIGNATURE.replace(b'"payloadType"', b'"payloadtype"'),
        GOOD_SIGNATURE.replace(b'"mediaType"', b'"\\u006dediaType"'),
        GOOD_SIGNATURE.replace(b'"dsseEnvelope":{', b'"dsseEnvelope":{"payload":"e30=",'),
        GOOD_SIGNATURE.replace(b'{"mediaType"', b'{"mediaType":"x","mediaType"'),
        GOOD_SIGNATURE.decode().encode("utf-16"),
        b"[" + GOOD_SIGNATURE + b"]",
    ],
)
def test_an_envelope_rewritten_around_a_good_signature_is_refused(text: bytes) -> None:
    assert text != GOOD_SIGNATURE
    assert not accepted(with_signature(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One member of the signed statement, set to something else before a trusted key signs it."""

    path: tuple[str | int, ...]
    value: object


STATEMENT_CHANGES = (
    Change(path=("_type",), value="https://in-toto.io/Statement/v0.1"),
    Change(path=("predicateType",), value="https://model_signing/Digests/v0.1"),
    Change(path=("predicate",), value={}),
    Change(path=("predicate", "resources"), value=[]),
    Change(path=("predicate", "resources", 0, "algorithm"), value="sha1"),
    Change(path=("predicate", "resources", 0, "digest"), value="0" * 64),
    Change(path=("predicate", "resources", 0, "digest"), value="AB" * 32),
    Change(path=("predicate", "resources", 0, "name"), value="../card.toml"),
    Change(path=("predicate", "resources", 0, "name"), value="/etc/passwd"),
    Change(path=("predicate", "resources", 0, "name"), value="CARD.toml"),
    Change(path=("predicate", "resources", 0, "name"), value="card.toml\u0000"),
    Change(path=("predicate", "resources", 0, "name"), value="ca\u0301rd.toml"),
    Change(path=("predicate", "serialization", "method"), value="shards"),
    Change(path=("predicate", "serialization", "hash_type"), value="blake2b"),
    Change(path=("predicate", "stepdown_signed_on"), value="yesterday"),
    Change(path=("subject",), value=[]),
    Change(path=("subject", 0, "digest"), value={"sha256": "0" * 64}),
    Change(path=("subject", 0, "digest"), value={}),
)


def signed_anew(statement: dict[str, Any]) -> bytes:
    payload = json.dumps(statement).encode()
    signer = key()
    made = signer.private_key.sign(pre_authentication_encoding(payload), signature_algorithm(signer.public_key))
    return render_envelope(Envelope(payload=payload, signature=made, key_hint=key_hint(signer.public_key)))


def statement_with(*changes: Change) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(base64.b64decode(GOOD_DOCUMENT[DSSE]["payload"]))
    for change in changes:
        parent: Any = statement
        try:
            for step in change.path[:-1]:
                parent = parent[step]
            parent[change.path[-1]] = change.value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change left no place for it
    return statement


def test_a_statement_signed_anew_without_a_change_is_accepted() -> None:
    assert accepted(with_signature(signed_anew(statement_with())))


@pytest.mark.parametrize("change", STATEMENT_CHANGES)
def test_even_a_trusted_key_cannot_sign_what_is_not_this_bundle(change: Change) -> None:
    assert not accepted(with_signature(signed_anew(statement_with(change))))


@given(st.lists(st.sampled_from(STATEMENT_CHANGES), min_size=1, max_size=4))
def test_changes_of_a_statement_do_not_make_up_for_each_other(changes: list[Change]) -> None:
    assert not accepted(with_signature(signed_anew(statement_with(*changes))))


WISHES = st.fixed_dictionaries(
    {},
    optional={
        "ignore_paths": st.lists(st.sampled_from(["extra.bin", ".", "*", ".git", "signatures", "/"])),
        "allow_symlinks": st.booleans(),
    },
)
EXTRA = st.sampled_from(
    [".git/config", ".gitattributes", ".github/x", "extra.bin", "Card.toml", "card.toml ", "a/../b", "CARD.TOML",
     "caf\u00e9.txt", "cafe\u0301.txt", "signatures/../x", "\u2215etc", "x\u202egpj.exe", "signatures/x.txt"]
)  # fmt: skip


@given(WISHES, st.one_of(st.none(), EXTRA))
def test_whatever_the_signer_wishes_only_the_exact_files_are_accepted(
    wishes: dict[str, object], extra: str | None
) -> None:
    statement = statement_with()
    statement["predicate"]["serialization"] |= wishes
    files = with_signature(signed_anew(statement)) | ({extra: b"payload"} if extra is not None else {})
    assert accepted(files) is (extra is None)
