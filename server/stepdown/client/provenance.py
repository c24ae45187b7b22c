"""What an auditor asks of a running server: records, and proofs that they are on its ledger.

Refuses to believe the server: what comes back is for `stepdown ledger verify`, or any other checker, to judge.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from stepdown.api.v1.provenance_service_pb2 import (
    GetInclusionProofRequest,
    GetRecordRequest,
    LedgerRecord,
    ListRecordsRequest,
)
from stepdown.api.v1.provenance_service_pb2_grpc import ProvenanceServiceStub
from stepdown.client.connection import Credentials
from stepdown.client.failures import AssessmentError

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOnWire:
    """One record as the server gives it; `body` is empty once retention has let it go."""

    record_id: str
    sequence: int
    body: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOnWire:
    """A record, the path to a root, and the signed checkpoint that holds the root."""

    record: RecordOnWire
    path: tuple[bytes, ...]
    checkpoint: str


def get_record(address: str, credentials: Credentials, record_id: str) -> RecordOnWire:
    """One record. Raises AssessmentError, AddressError, OSError."""
    with _provenance(address, credentials) as provenance:
        return _record(provenance.GetRecord(GetRecordRequest(record_id=record_id), timeout=_TIMEOUT_S).record)


def newest_records(address: str, credentials: Credentials, count: int) -> tuple[RecordOnWire, ...]:
    """The newest records, the newest first. Raises AssessmentError, AddressError, OSError."""
    with _provenance(address, credentials) as provenance:
        page = provenance.ListRecords(ListRecordsRequest(page_size=count), timeout=_TIMEOUT_S)
    return tuple(_record(record) for record in page.records)


def get_proof(address: str, credentials: Credentials, record_id: str) -> ProofOnWire:
    """A record with its proof. Raises AssessmentError, AddressError, OSError."""
    with _provenance(address, credentials) as provenance:
        proof = provenance.GetInclusionProof(GetInclusionProofRequest(record_id=record_id), timeout=_TIMEOUT_S)
    return ProofOnWire(record=_record(proof.record), path=tuple(proof.path), checkpoint=proof.checkpoint)


@contextmanager
def _provenance(address: str, credentials: Credentials) -> Iterator[ProvenanceServiceStub]:
    with credentials.channel(address, heeds_health=False) as channel:
        try:
            yield ProvenanceServiceStub(channel)
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error


def _record(record: LedgerRecord) -> RecordOnWire:
    return RecordOnWire(record_id=record.record_id, sequence=record.sequence, body=record.body, leaf=record.leaf_hash)
