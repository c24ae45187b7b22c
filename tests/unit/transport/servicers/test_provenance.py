from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from stepdown.adapters.ledger.keys import is_signed
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.api.v1 import provenance_service_pb2 as wire
from stepdown.api.v1.provenance_service_pb2_grpc import ProvenanceServiceStub
from stepdown.client.failures import AssessmentError
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.merkle import includes, is_consistent, leaf_hash
from stepdown.transport.servicers.provenance import provenance
from tests.fakes.ledger_keys import note_signer
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk
from tests.unit.transport.grpc_side import GrpcSide, Recorded, grpc_side

COUNT = 5
BEGUN_S = 1_800_000_000


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> LedgerOnDisk:
    """Three records, a checkpoint, two more, and a checkpoint."""
    folder = tmp_path_factory.mktemp("ledger")
    one = LedgerOnDisk(folder)
    for numbers in (range(3), range(3, COUNT)):
        one = LedgerOnDisk(folder, checkpoint_period_s=3600.0)
        one.store.start()
        for number in numbers:
            one.record(number, time_s=BEGUN_S + number)
        one.store.close()
    return one


@pytest.fixture(scope="module")
def told() -> Recorded:
    return Recorded()


@pytest.fixture(scope="module")
def side(ledger: LedgerOnDisk, told: Recorded) -> Iterator[GrpcSide]:
    service = provenance(archive=LedgerReader(ledger.file), ledger=NAME, event=told.event)
    with grpc_side(add_services=(service,)) as one:
        yield one


@pytest.fixture
def auditor(side: GrpcSide) -> ProvenanceServiceStub:
    return ProvenanceServiceStub(side.channel("auditor"))


def reason(caught: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    return AssessmentError.of_call(caught.value).reason


def record_id(number: int) -> str:
    return f"{NAME}/{number}"


def test_a_record_is_given_byte_for_byte(auditor: ProvenanceServiceStub, told: Recorded) -> None:
    record = auditor.GetRecord(wire.GetRecordRequest(record_id=record_id(3))).record
    assert (record.record_id, record.sequence, record.kind) == (record_id(3), 3, wire.RECORD_KIND_ANSWER)
    assert record.time.seconds == BEGUN_S + 3
    assert decode(record.body).facts == {"number": 3}
    assert leaf_hash(record.body) == record.leaf_hash
    assert told.events[-1] == (
        "ledger_read",
        {"method": "GetRecord", "record": "3", "caller": "spiffe://stepdown.demo/auditor/test"},
    )


@pytest.mark.parametrize("asked", ["", "3", f"{NAME}/", f"{NAME}/x", f"{NAME}/9", "other/3", f"{NAME}/{'9' * 30}"])
def test_a_record_that_is_not_there_is_unknown(auditor: ProvenanceServiceStub, asked: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        auditor.GetRecord(wire.GetRecordRequest(record_id=asked))
    assert reason(caught) == "RECORD_UNKNOWN"


def listed(auditor: ProvenanceServiceStub, **asked: object) -> tuple[list[int], str]:
    page = auditor.ListRecords(wire.ListRecordsRequest(**asked))  # type: ignore[arg-type]
    return [record.sequence for record in page.records], page.next_page_token


def test_records_are_listed_the_newest_first_page_by_page(auditor: ProvenanceServiceStub) -> None:
    first, token = listed(auditor, page_size=2)
    second, token = listed(auditor, page_size=2, page_token=token)
    third, end = listed(auditor, page_size=2, page_token=token)
    assert (first, second, third, end) == ([4, 3], [2, 1], [0], "")
    assert listed(auditor) == ([4, 3, 2, 1, 0], "")


def test_records_are_listed_by_kind_and_time(auditor: ProvenanceServiceStub) -> None:
    assert listed(auditor, kind=wire.RECORD_KIND_ANSWER)[0] == [4, 3, 2, 1, 0]
    assert listed(auditor, kind=wire.RECORD_KIND_DENIAL)[0] == []
    start, end = Timestamp(seconds=BEGUN_S + 1), Timestamp(seconds=BEGUN_S + 3)
    assert listed(auditor, start_time=start, end_time=end) == ([2, 1], "")
    assert listed(auditor, end_time=end, page_size=1, page_token="2")  # noqa: S106 - no secret == ([1], "1")


@pytest.mark.parametrize("asked", [{"page_size": -1}, {"page_token": "x"}, {"kind": 99}])
def test_a_page_that_cannot_be_is_refused(auditor: ProvenanceServiceStub, asked: dict[str, object]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        listed(auditor, **asked)
    assert reason(caught) == "RECORD_RANGE_INVALID"


@pytest.mark.parametrize("size", [0, 3, 5])
def test_a_record_is_proven_to_be_under_a_signed_checkpoint(auditor: ProvenanceServiceStub, size: int) -> None:
    proof = auditor.GetInclusionProof(wire.GetInclusionProofRequest(record_id=record_id(1), tree_size=size))
    checkpoint = verify_checkpoint(proof.checkpoint, note_signer(NAME).key, is_signed)
    assert proof.tree_size == checkpoint.size == (size or COUNT)
    assert includes(leaf_hash(proof.record.body), index=1, size=checkpoint.size, path=proof.path, root=checkpoint.root)


def test_two_checkpoints_are_proven_to_be_of_one_ledger(auditor: ProvenanceServiceStub, ledger: LedgerOnDisk) -> None:
    proof = auditor.GetConsistencyProof(wire.GetConsistencyProofRequest(first_size=3))
    earlier = LedgerReader(ledger.file).checkpoint(3)
    assert earlier is not None
    old, new = (verify_checkpoint(note, note_signer(NAME).key, is_signed) for note in (earlier[1], proof.checkpoint))
    assert (old.size, new.size, proof.second_size) == (3, COUNT, COUNT)
    assert is_consistent(first=3, second=COUNT, first_root=old.root, second_root=new.root, path=proof.path)
    assert auditor.GetCheckpoint(wire.GetCheckpointRequest()).checkpoint == proof.checkpoint


@pytest.mark.parametrize(("first", "second"), [(0, 0), (6, 0), (-1, 0), (1, 2), (4, 3)])
def test_what_no_checkpoint_has_signed_is_not_proven(auditor: ProvenanceServiceStub, first: int, second: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        auditor.GetConsistencyProof(wire.GetConsistencyProofRequest(first_size=first, second_size=second))
    assert reason(caught) == "RECORD_RANGE_INVALID"


def test_an_old_checkpoint_does_not_cover_a_new_record(auditor: ProvenanceServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        auditor.GetInclusionProof(wire.GetInclusionProofRequest(record_id=record_id(4), tree_size=3))
    assert reason(caught) == "RECORD_RANGE_INVALID"


@pytest.mark.parametrize("role", ["assessor", "operator", "viewer"])
def test_nobody_but_an_auditor_reads_the_ledger(side: GrpcSide, role: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ProvenanceServiceStub(side.channel(role)).GetCheckpoint(wire.GetCheckpointRequest())
    assert reason(caught) == "PERMISSION_DENIED"


def test_what_is_not_signed_yet_is_said_to_come_and_what_cannot_be_read_to_be_unavailable(tmp_path: Path) -> None:
    one = LedgerOnDisk(tmp_path, checkpoint_period_s=3600.0)
    one.store.start()
    one.record(0)
    one.record(1)
    one.record(2)
    service = provenance(archive=LedgerReader(one.file), ledger=NAME, event=Recorded().event)
    with grpc_side(add_services=(service,)) as side:
        auditor = ProvenanceServiceStub(side.channel("auditor"))
        with pytest.raises(grpc.RpcError) as caught:
            auditor.GetInclusionProof(wire.GetInclusionProofRequest(record_id=record_id(2)))
        assert reason(caught) == "CHECKPOINT_PENDING"
        one.store.close()
        one.file.rename(tmp_path / "elsewhere")
        with pytest.raises(grpc.RpcError) as caught:
            auditor.GetCheckpoint(wire.GetCheckpointRequest())
        assert reason(caught) == "LEDGER_UNAVAILABLE"


def test_a_ledger_without_any_checkpoint_has_none_to_give() -> None:
    class Bare:
        def checkpoint(self, size: int | None = None) -> None:
            del size

    service = provenance(archive=Bare(), ledger=NAME, event=Recorded().event)  # type: ignore[arg-type]
    with grpc_side(add_services=(service,)) as side, pytest.raises(grpc.RpcError) as caught:
        ProvenanceServiceStub(side.channel("auditor")).GetCheckpoint(wire.GetCheckpointRequest())
    assert reason(caught) == "CHECKPOINT_PENDING"


def test_times_beyond_the_calendar_are_times_like_others(auditor: ProvenanceServiceStub) -> None:
    for seconds, count in ((-(1 << 63), 0), ((1 << 63) - 1, COUNT)):
        page = auditor.ListRecords(wire.ListRecordsRequest(end_time=Timestamp(seconds=seconds)))
        assert len(page.records) == count
        page = auditor.ListRecords(wire.ListRecordsRequest(start_time=Timestamp(seconds=seconds)))
        assert len(page.records) == COUNT - count
