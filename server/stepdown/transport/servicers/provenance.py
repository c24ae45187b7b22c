"""`ProvenanceService` on gRPC: records, checkpoints and proofs for auditors. Every call is itself on the ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from stepdown.api.v1 import provenance_service_pb2 as wire
from stepdown.api.v1 import provenance_service_pb2_grpc
from stepdown.api.v1.provenance_service_pb2_grpc import add_ProvenanceServiceServicer_to_server
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.domain.records import LedgerUnavailableError, ListedRecord
from stepdown.ports import LedgerArchive
from stepdown.transport.calls import EventLog, current_call
from stepdown.transport.codec.records import decode_kind, encode_record
from stepdown.transport.codec.times import unix_s
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.refusals import checkpoint_pending, ledger_unreadable, refused

SERVICE = wire.DESCRIPTOR.services_by_name["ProvenanceService"].full_name
DEFAULT_PAGE = 100
MAXIMUM_PAGE = 500
_LONGEST_PLACE = 18
_US = 1_000_000


def provenance(
    *, archive: LedgerArchive, ledger: str, event: EventLog
) -> Callable[[grpc.Server, InFlight, DrainSignal], tuple[str, ...]]:
    """What adds the service to a server. `ledger` is the ledger's name."""

    def add(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        del in_flight, drain
        servicer = ProvenanceServicer(archive, ledger=ledger, event=event)
        add_ProvenanceServiceServicer_to_server(servicer, server)
        return (SERVICE,)

    return add


class ProvenanceServicer(provenance_service_pb2_grpc.ProvenanceServiceServicer):
    """Each method's docstring is the wire contract's."""

    def __init__(self, archive: LedgerArchive, *, ledger: str, event: EventLog) -> None:
        self._archive = archive
        self._ledger = ledger
        self._event = event

    def GetRecord(  # noqa: N802  # the wire's name
        self, request: wire.GetRecordRequest, context: grpc.ServicerContext
    ) -> wire.GetRecordResponse:
        """Give one record."""
        del context
        with _reading():
            record = self._record(request.record_id)
            self._read("GetRecord", record=str(record.sequence))
            return wire.GetRecordResponse(record=encode_record(record, ledger=self._ledger))

    def ListRecords(  # noqa: N802
        self, request: wire.ListRecordsRequest, context: grpc.ServicerContext
    ) -> wire.ListRecordsResponse:
        """List records, the newest first."""
        del context
        most, kind = _page_size(request.page_size), decode_kind(request.kind)
        if kind is None:
            raise _invalid("kind", "no such kind of record")
        with _reading():
            records = self._archive.records(before=self._before(request), kind=kind, most=most + 1)
            start_s = unix_s(request.start_time) if request.HasField("start_time") else float("-inf")
            shown = [record for record in records[:most] if record.time_s >= start_s]
            self._read("ListRecords", record="")
            has_more = len(records) > most and len(shown) == most
            return wire.ListRecordsResponse(
                records=[encode_record(record, ledger=self._ledger) for record in shown],
                next_page_token=str(shown[-1].sequence) if has_more else "",
            )

    def GetCheckpoint(  # noqa: N802
        self, request: wire.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> wire.GetCheckpointResponse:
        """Give the newest signed checkpoint."""
        del request, context
        with _reading():
            _, note = self._checkpoint(0)
            self._read("GetCheckpoint", record="")
            return wire.GetCheckpointResponse(checkpoint=note)

    def GetInclusionProof(  # noqa: N802
        self, request: wire.GetInclusionProofRequest, context: grpc.ServicerContext
    ) -> wire.GetInclusionProofResponse:
        """Prove that a record is on the ledger."""
        del context
        with _reading():
            record = self._record(request.record_id)
            size, note = self._checkpoint(request.tree_size)
            if record.sequence >= size:
                if request.tree_size:
                    raise _invalid("tree_size", "that checkpoint does not cover the record")
                raise checkpoint_pending()
            self._read("GetInclusionProof", record=str(record.sequence))
            return wire.GetInclusionProofResponse(
                record=encode_record(record, ledger=self._ledger),
                tree_size=size,
                path=self._archive.inclusion(record.sequence, size),
                checkpoint=note,
            )

    def GetConsistencyProof(  # noqa: N802
        self, request: wire.GetConsistencyProofRequest, context: grpc.ServicerContext
    ) -> wire.GetConsistencyProofResponse:
        """Prove that the ledger of one checkpoint begins with the ledger of an earlier one."""
        del context
        with _reading():
            size, note = self._checkpoint(request.second_size)
            if not 0 < request.first_size <= size:
                raise _invalid("first_size", "must be at least 1 and at most the size of the later checkpoint")
            path = self._archive.consistency(request.first_size, size)
            self._read("GetConsistencyProof", record="")
            return wire.GetConsistencyProofResponse(second_size=size, path=path, checkpoint=note)

    # --- parts -----------------------------------------------------------------------------------------------------

    def _record(self, record_id: str) -> ListedRecord:
        name, _, place = record_id.rpartition("/")
        known = name == self._ledger and place.isascii() and place.isdecimal() and len(place) <= _LONGEST_PLACE
        record = self._archive.record(int(place)) if known else None
        if record is None:
            text = f"the ledger {self._ledger} holds no such record"
            raise refused(RejectReason.RECORD_UNKNOWN, field="record_id", description=text)
        return record

    def _checkpoint(self, size: int) -> tuple[int, str]:
        """The checkpoint at a size, or with 0 the newest."""
        checkpoint = self._archive.checkpoint(size or None)
        if checkpoint is None:
            if size:
                raise _invalid("tree_size", "no checkpoint has that size")
            raise checkpoint_pending()
        return checkpoint

    def _before(self, request: wire.ListRecordsRequest) -> int | None:
        """Below which place the page begins."""
        token = request.page_token
        if token and not (token.isascii() and token.isdecimal() and len(token) <= _LONGEST_PLACE):
            raise _invalid("page_token", "not a token of an answer before")
        places = [int(token)] if token else []
        if request.HasField("end_time"):
            places.append(self._archive.place_of_time(int(unix_s(request.end_time) * _US)))
        return min(places, default=None)

    def _read(self, method: str, *, record: str) -> None:
        self._event("ledger_read", method=method, record=record, caller=current_call().caller.name)


@contextmanager
def _reading() -> Iterator[None]:
    """A ledger that cannot be read now is no defect of ours."""
    try:
        yield
    except LedgerUnavailableError as error:
        raise ledger_unreadable() from error


def _page_size(asked: int) -> int:
    if asked < 0:
        raise _invalid("page_size", "must not be negative")
    return min(asked or DEFAULT_PAGE, MAXIMUM_PAGE)


def _invalid(field: str, description: str) -> RequestRejectedError:
    return refused(RejectReason.RECORD_RANGE_INVALID, field=field, description=description)
