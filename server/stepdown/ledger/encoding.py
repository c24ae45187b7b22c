"""A record as bytes and back. What is hashed is what is stored: a record is never encoded a second time.

JSON with sorted keys, without spaces and without fractions, in UTF-8: an auditor in twenty years reads it with
anything, and no two writers of this product make different bytes of the same record. Refuses what is not such a record.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from stepdown.domain.records import Fact, LedgerError, Record, RecordKind

SCHEMA = "stepdown/record/v1"
_HASH_DIGITS = 64
_FIELDS = {"schema", "sequence", "previous", "kind", "time", "facts"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def encode_facts(facts: Mapping[str, Fact]) -> str:
    """The part of a record that does not depend on its place."""
    return _ENCODER.encode(facts)


def encode(kind: RecordKind, *, facts: str, time_s: float, sequence: int, previous: bytes) -> bytes:
    """The bytes of the record at its place, chained to the digest of the one before (empty for the first)."""
    time = datetime.fromtimestamp(time_s, tz=UTC).isoformat(timespec="microseconds")
    # In the order of its keys, as the encoder would write it.
    return (
        f'{{"facts":{facts},"kind":"{kind.value}","previous":"{previous.hex()}","schema":"{SCHEMA}",'
        f'"sequence":{sequence},"time":"{time}"}}'
    ).encode()


def decode(body: bytes) -> Record:
    """What the bytes say. Raises: LedgerError for anything but a record."""
    try:
        said = json.loads(body.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise LedgerError("not a record: no JSON without fractions") from error
    if not isinstance(said, dict) or set(said) != _FIELDS or said["schema"] != SCHEMA:
        raise LedgerError(f"not a record of {SCHEMA}")
    sequence, previous, facts = said["sequence"], said["previous"], said["facts"]
    if type(sequence) is not int or sequence < 0 or not isinstance(facts, Mapping):
        raise LedgerError("not a record: its sequence or its facts are none")
    return Record(
        sequence=sequence,
        previous=_digest(previous, first=sequence == 0),
        kind=_text(said["kind"]),
        time=_text(said["time"]),
        facts=facts,
    )


def _digest(text: object, *, first: bool) -> bytes:
    wanted = 0 if first else _HASH_DIGITS
    try:
        digest = bytes.fromhex(_text(text))
    except ValueError as error:
        raise LedgerError("not a record: `previous` is no digest") from error
    if len(digest) * 2 != wanted:
        raise LedgerError("not a record: `previous` is no digest")
    return digest


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise LedgerError("not a record: a text is missing")
    return said


def _refuse(_number: str) -> object:
    raise ValueError("a fraction")
