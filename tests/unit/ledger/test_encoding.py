import json

import pytest

from stepdown.domain.records import Fact, LedgerError, RecordKind
from stepdown.ledger.encoding import decode, encode, encode_facts

FACTS: dict[str, Fact] = {
    "tier": "full",
    "degradations": [{"tier": "x", "reason": "y"}],
    "count": 3,
    "ok": True,
    "none": None,
    "ä": "ö",
}


def body(**changes: object) -> bytes:
    said = json.loads(encode(RecordKind.ANSWER, facts="{}", time_s=0.25, sequence=1, previous=b"\x01" * 32))
    return json.dumps({**said, **changes}).encode()


def test_a_record_reads_back_as_it_was_written() -> None:
    written = encode(RecordKind.ANSWER, facts=encode_facts(FACTS), time_s=0.25, sequence=7, previous=b"\x01" * 32)
    record = decode(written)
    assert (record.sequence, record.previous, record.kind) == (7, b"\x01" * 32, "ANSWER")
    assert record.time == "1970-01-01T00:00:00.250000+00:00"
    assert record.facts == FACTS


def test_the_bytes_are_those_of_sorted_json_without_spaces() -> None:
    written = encode(RecordKind.DENIAL, facts=encode_facts(FACTS), time_s=1.0, sequence=0, previous=b"")
    again = json.dumps(json.loads(written), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert written == again.encode()


def test_the_first_record_has_none_before_it_and_every_other_has() -> None:
    first = encode(RecordKind.ANSWER, facts="{}", time_s=0.0, sequence=0, previous=b"")
    assert decode(first).previous == b""
    for sequence, previous in ((0, b"\x01" * 32), (1, b""), (1, b"\x01" * 31)):
        with pytest.raises(LedgerError, match="`previous` is no digest"):
            decode(encode(RecordKind.ANSWER, facts="{}", time_s=0.0, sequence=sequence, previous=previous))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        body(extra=1),
        body(schema="stepdown/record/v2"),
        body(sequence="1"),
        body(sequence=-1),
        body(sequence=True),
        body(facts=[]),
        body(facts={"share": 0.5}),
        body(facts={"share": float("nan")}),
        body(kind=None),
        body(time=3),
        body(previous="zz"),
        body(previous=None),
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(LedgerError, match="not a record"):
        decode(text)


def test_a_number_that_is_none_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_facts({"share": float("inf")})  # type: ignore[dict-item]
