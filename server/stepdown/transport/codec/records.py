"""Records of the ledger on the wire."""

from collections.abc import Mapping
from types import MappingProxyType

from stepdown.api.v1 import provenance_service_pb2 as wire
from stepdown.domain.records import ListedRecord, RecordKind
from stepdown.transport.codec.enumerations import RECORD_KINDS
from stepdown.transport.codec.times import timestamp

_KINDS: Mapping[str, wire.RecordKind] = MappingProxyType({kind.value: RECORD_KINDS[kind] for kind in RecordKind})
_NAMES: Mapping[int, str] = MappingProxyType({number: kind.value for kind, number in RECORD_KINDS.items()})


def encode_record(record: ListedRecord, *, ledger: str) -> wire.LedgerRecord:
    """One record under its id."""
    return wire.LedgerRecord(
        record_id=f"{ledger}/{record.sequence}",
        sequence=record.sequence,
        kind=_KINDS.get(record.kind),
        time=timestamp(record.time_s),
        body=record.body or b"",
        leaf_hash=record.leaf,
    )


def decode_kind(kind: int) -> str | None:
    """The kind's name; empty for the unspecified one, None for a number that is none."""
    return "" if kind == wire.RECORD_KIND_UNSPECIFIED else _NAMES.get(kind)
