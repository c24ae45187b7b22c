import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_SERVER_STARTED: _ClassVar[RecordKind]
    RECORD_KIND_SERVER_STOPPED: _ClassVar[RecordKind]
    RECORD_KIND_ANSWER: _ClassVar[RecordKind]
    RECORD_KIND_REFUSAL: _ClassVar[RecordKind]
    RECORD_KIND_DENIAL: _ClassVar[RecordKind]
    RECORD_KIND_TIER_CHANGE: _ClassVar[RecordKind]
    RECORD_KIND_CAPABILITY_CHANGE: _ClassVar[RecordKind]
    RECORD_KIND_ACTIVATION: _ClassVar[RecordKind]
    RECORD_KIND_OPERATOR_ACT: _ClassVar[RecordKind]
    RECORD_KIND_LEDGER_READ: _ClassVar[RecordKind]
    RECORD_KIND_RECORDS_MISSED: _ClassVar[RecordKind]
    RECORD_KIND_RECORDS_PRUNED: _ClassVar[RecordKind]
    RECORD_KIND_POLICY_CHANGE: _ClassVar[RecordKind]
    RECORD_KIND_OUTCOME: _ClassVar[RecordKind]
    RECORD_KIND_FEEDBACK: _ClassVar[RecordKind]
    RECORD_KIND_PAYLOADS_ERASED: _ClassVar[RecordKind]
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_SERVER_STARTED: RecordKind
RECORD_KIND_SERVER_STOPPED: RecordKind
RECORD_KIND_ANSWER: RecordKind
RECORD_KIND_REFUSAL: RecordKind
RECORD_KIND_DENIAL: RecordKind
RECORD_KIND_TIER_CHANGE: RecordKind
RECORD_KIND_CAPABILITY_CHANGE: RecordKind
RECORD_KIND_ACTIVATION: RecordKind
RECORD_KIND_OPERATOR_ACT: RecordKind
RECORD_KIND_LEDGER_READ: RecordKind
RECORD_KIND_RECORDS_MISSED: RecordKind
RECORD_KIND_RECORDS_PRUNED: RecordKind
RECORD_KIND_POLICY_CHANGE: RecordKind
RECORD_KIND_OUTCOME: RecordKind
RECORD_KIND_FEEDBACK: RecordKind
RECORD_KIND_PAYLOADS_ERASED: RecordKind

class GetRecordRequest(_message.Message):
    __slots__ = ("record_id",)
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    def __init__(self, record_id: _Optional[str] = ...) -> None: ...

class GetRecordResponse(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: LedgerRecord
    def __init__(self, record: _Optional[_Union[LedgerRecord, _Mapping]] = ...) -> None: ...

class ListRecordsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "start_time", "end_time")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: RecordKind
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[LedgerRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[LedgerRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint",)
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: str
    def __init__(self, checkpoint: _Optional[str] = ...) -> None: ...

class GetInclusionProofRequest(_message.Message):
    __slots__ = ("record_id", "tree_size")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    tree_size: int
    def __init__(self, record_id: _Optional[str] = ..., tree_size: _Optional[int] = ...) -> None: ...

class GetInclusionProofResponse(_message.Message):
    __slots__ = ("record", "tree_size", "path", "checkpoint")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    record: LedgerRecord
    tree_size: int
    path: _containers.RepeatedScalarFieldContainer[bytes]
    checkpoint: str
    def __init__(self, record: _Optional[_Union[LedgerRecord, _Mapping]] = ..., tree_size: _Optional[int] = ..., path: _Optional[_Iterable[bytes]] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("first_size", "second_size")
    FIRST_SIZE_FIELD_NUMBER: _ClassVar[int]
    SECOND_SIZE_FIELD_NUMBER: _ClassVar[int]
    first_size: int
    second_size: int
    def __init__(self, first_size: _Optional[int] = ..., second_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("second_size", "path", "checkpoint")
    SECOND_SIZE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    second_size: int
    path: _containers.RepeatedScalarFieldContainer[bytes]
    checkpoint: str
    def __init__(self, second_size: _Optional[int] = ..., path: _Optional[_Iterable[bytes]] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class LedgerRecord(_message.Message):
    __slots__ = ("record_id", "sequence", "kind", "time", "body", "leaf_hash")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    sequence: int
    kind: RecordKind
    time: _timestamp_pb2.Timestamp
    body: bytes
    leaf_hash: bytes
    def __init__(self, record_id: _Optional[str] = ..., sequence: _Optional[int] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., body: _Optional[bytes] = ..., leaf_hash: _Optional[bytes] = ...) -> None: ...
