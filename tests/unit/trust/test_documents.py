"""One meaning, one way to write it: what the strict readers refuse."""

from collections.abc import Callable

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import decode_base64, parse_json, parse_toml, quoted
from stepdown.trust.refusal import TrustRule

RULE = TrustRule.SIGNATURE_MALFORMED


def read_json(text: bytes) -> object:
    return parse_json(text, rule=RULE, what="document", maximum_bytes=100_000)


def read_toml(text: bytes) -> object:
    return parse_toml(text, rule=RULE, what="document", maximum_bytes=100_000)


def test_a_document_is_read() -> None:
    assert read_json(b'{"a": [1, null, {"b": "\\u00e9"}]}') == {"a": [1, None, {"b": "\u00e9"}]}
    assert read_toml(b"a = 1\n[b]\nc = 'd'") == {"a": 1, "b": {"c": "d"}}


@pytest.mark.parametrize(
    ("read", "text", "why"),
    [
        (read_json, b'{"a": 1, "a": 2}', "said twice"),
        (read_json, b'{"x": {"a": 1, "a": 1}}', "said twice"),
        (read_json, b'{"a": NaN}', "NaN is not a JSON number"),
        (read_json, b'{"a": -Infinity}', "not a JSON number"),
        (read_json, b"", "line 1 column 1"),
        (read_json, b"\xef\xbb\xbf{}", "not strict JSON"),
        (read_json, b"{\xff}", "not UTF-8 at byte 1"),
        (read_json, "{}".encode("utf-16"), "not UTF-8"),
        (read_json, b"[" * 50_000, "nested too deeply"),
        (read_json, b"1" * 5_000, "not strict JSON"),
        (read_json, b" " * 100_001, "100001 bytes, at most 100000"),
        (read_toml, b"a = 1\na = 2", "not TOML"),
        (read_toml, b"a = " + b"[" * 50_000, "nested too deeply"),
        (read_toml, b"a = " + b"1" * 5_000, "not TOML"),
        (read_toml, b"\xff", "not UTF-8 at byte 0"),
        (read_toml, b"a" * 100_001, "at most 100000"),
    ],
)
def test_what_is_not_strict_is_refused_with_the_reason(read: Callable[[bytes], object], text: bytes, why: str) -> None:
    with pytest.raises(TrustError) as refused:
        read(text)
    assert refused.value.rule == RULE
    assert why in refused.value.detail


def test_canonical_base64_is_decoded() -> None:
    assert decode_base64("", rule=RULE, what="x") == b""
    assert decode_base64("AAEC/w==", rule=RULE, what="x") == b"\x00\x01\x02\xff"


@pytest.mark.parametrize(
    "text", ["AAEC/w", "AAEC/x==", "AAEC_w==", "AAEC/w==\n", " AAEC/w==", "AAEC/w====", "\u00e9AAA", "A"]
)
def test_base64_written_another_way_is_refused(text: str) -> None:
    with pytest.raises(TrustError, match="base64"):
        decode_base64(text, rule=RULE, what="x")


def test_a_quotation_can_do_nothing_to_a_terminal() -> None:
    assert quoted("\x1b[2J\u202e") == r"'\x1b[2J\u202e'"
    assert quoted("x" * 100) == "'" + "x" * 60 + "...'"
