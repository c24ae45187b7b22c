"""Signature files: the one way they are written, and what is refused rather than skipped."""

import base64
import json
from collections.abc import Callable
from functools import reduce
from operator import getitem

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.envelope import (
    MAXIMUM_BYTES,
    Envelope,
    parse_envelope,
    pre_authentication_encoding,
    render_envelope,
)

BY_KEY = Envelope(payload=b'{"a":1}', signature=b"sig", key_hint="ab" * 32)
BY_CHAIN = Envelope(payload=b"{}", signature=b"sig", certificates=(b"leaf", b"issuer"))


def compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def refusal(text: bytes) -> TrustError:
    with pytest.raises(TrustError) as refused:
        parse_envelope(text, what="signatures/x.sig")
    return refused.value


@pytest.mark.parametrize("envelope", [BY_KEY, BY_CHAIN])
def test_what_is_written_is_read(envelope: Envelope) -> None:
    assert parse_envelope(render_envelope(envelope), what="x") == envelope


def test_the_encoding_that_is_signed_is_that_of_the_dsse_specification() -> None:
    assert pre_authentication_encoding(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    assert BY_KEY.signed_bytes == pre_authentication_encoding(b'{"a":1}')


def test_a_single_certificate_is_read_as_a_chain_of_one() -> None:
    document = json.loads(render_envelope(BY_CHAIN))
    document["verificationMaterial"] = {"certificate": {"rawBytes": base64.b64encode(b"leaf").decode()}}
    assert parse_envelope(compact(document), what="x").certificates == (b"leaf",)


@pytest.mark.parametrize("indent", [None, 2])
def test_spaced_and_indented_documents_are_read_too(indent: int | None) -> None:
    text = json.dumps(json.loads(render_envelope(BY_KEY)), indent=indent)
    assert parse_envelope(text.encode(), what="x") == BY_KEY


def test_a_key_without_a_hint_is_read() -> None:
    document = json.loads(render_envelope(BY_KEY))
    document["verificationMaterial"] = {"publicKey": {}}
    assert parse_envelope(compact(document), what="x").key_hint == ""


OTHER_WAYS: dict[str, Callable[[bytes], bytes]] = {
    "a space before": lambda text: b" " + text,
    "a line end after": lambda text: text + b"\n",
    "one space within": lambda text: text.replace(b",", b", ", 1),
    "a letter as an escape": lambda text: text.replace(b"sigstore", b"sig\\u0073tore"),
    "a slash as an escape": lambda text: text.replace(b"/vnd", b"\\/vnd"),
    "a member said twice": lambda text: text.replace(b'"keyid":""', b'"keyid":"","keyid":""'),
    "nested deeply": lambda _: b"[" * 900 + b"]" * 900,
    "too long": lambda _: b" " * (MAXIMUM_BYTES + 1),
    "not ASCII": lambda text: text.replace(b'"keyid":""', '"keyid":"\u00e9"'.encode()),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_a_document_written_in_any_other_way_is_refused(way: str) -> None:
    assert refusal(OTHER_WAYS[way](render_envelope(BY_KEY))).rule == "SIGNATURE_MALFORMED"


SIGNATURE = {"sig": "c2ln", "keyid": ""}
CERTIFICATE = {"rawBytes": "bGVhZg=="}


@pytest.mark.parametrize(
    ("path", "value", "rule", "named"),
    [
        (("mediaType",), "application/vnd.dev.sigstore.bundle+json;version=0.2", "UNSUPPORTED", "mediaType"),
        (("mediaType",), 3, "MALFORMED", "mediaType is not a string"),
        (("extra",), 1, "MALFORMED", "unknown member 'extra'"),
        (("dsseEnvelope",), [], "MALFORMED", "dsseEnvelope is not an object"),
        (
            (
                "dsseEnvelope",
                "payloadType",
            ),
            "text/plain",
            "UNSUPPORTED",
            "payloadType",
        ),
        (
            (
                "dsseEnvelope",
                "payload",
            ),
            "e30",
            "MALFORMED",
            "payload: not base64",
        ),
        (
            (
                "dsseEnvelope",
                "payload",
            ),
            None,
            "MALFORMED",
            "payload is not a string",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
            ),
            [],
            "MALFORMED",
            "holds 0 entries",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
            ),
            [SIGNATURE, SIGNATURE],
            "MALFORMED",
            "holds 2 entries",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
            ),
            "c2ln",
            "MALFORMED",
            "signatures is not an array",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
            ),
            ["c2ln"],
            "MALFORMED",
            "signatures[0] is not an object",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
                0,
                "keyid",
            ),
            "other",
            "MALFORMED",
            "keyid is not empty",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
                0,
                "sig",
            ),
            "c2lo=",
            "MALFORMED",
            "].sig: ",
        ),
        (
            (
                "dsseEnvelope",
                "signatures",
                0,
                "extra",
            ),
            "",
            "MALFORMED",
            "unknown member",
        ),
        (
            (
                "verificationMaterial",
                "tlogEntries",
            ),
            [{}],
            "UNSUPPORTED",
            "transparency-log",
        ),
        (
            (
                "verificationMaterial",
                "timestampVerificationData",
            ),
            {},
            "MALFORMED",
            "unknown member",
        ),
        (
            (
                "verificationMaterial",
                "certificate",
            ),
            CERTIFICATE,
            "MALFORMED",
            "exactly one key or certificate",
        ),
        (("verificationMaterial",), {}, "MALFORMED", "exactly one key or certificate"),
        (("verificationMaterial",), {"publicKey": {"hint": None}}, "MALFORMED", "hint is not a string"),
        (("verificationMaterial",), {"publicKey": {"rawBytes": "AA=="}}, "MALFORMED", "unknown member"),
        (("verificationMaterial",), {"x509CertificateChain": {"certificates": []}}, "MALFORMED", "1 to 8"),
        (
            ("verificationMaterial",),
            {"x509CertificateChain": {"certificates": [CERTIFICATE] * 9}},
            "MALFORMED",
            "1 to 8",
        ),
        (("verificationMaterial",), {"x509CertificateChain": {"certificates": ["AA=="]}}, "MALFORMED", "[0] is not"),
    ],
)
def test_what_is_not_understood_is_refused_where_it_stands(
    path: tuple[str | int, ...], value: object, rule: str, named: str
) -> None:
    document = json.loads(render_envelope(BY_KEY))
    reduce(getitem, path[:-1], document)[path[-1]] = value
    refused = refusal(compact(document))
    assert refused.rule.removeprefix("SIGNATURE_").removeprefix("FORMAT_") == rule
    assert named in refused.detail


def test_a_document_that_is_no_object_is_refused() -> None:
    assert refusal(b"[]").rule == "SIGNATURE_MALFORMED"
