import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stepdown.api.v1 import tiers_pb2 as _tiers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPathwaysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPathwaysResponse(_message.Message):
    __slots__ = ("pathways",)
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    pathways: _containers.RepeatedCompositeFieldContainer[Pathway]
    def __init__(self, pathways: _Optional[_Iterable[_Union[Pathway, _Mapping]]] = ...) -> None: ...

class GetPathwayRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPathwayResponse(_message.Message):
    __slots__ = ("pathway",)
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    pathway: Pathway
    def __init__(self, pathway: _Optional[_Union[Pathway, _Mapping]] = ...) -> None: ...

class GetModelCardRequest(_message.Message):
    __slots__ = ("bundle", "version")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    bundle: str
    version: str
    def __init__(self, bundle: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class GetModelCardResponse(_message.Message):
    __slots__ = ("card",)
    CARD_FIELD_NUMBER: _ClassVar[int]
    card: ModelCard
    def __init__(self, card: _Optional[_Union[ModelCard, _Mapping]] = ...) -> None: ...

class Pathway(_message.Message):
    __slots__ = ("name", "budget", "clinical", "tiers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    CLINICAL_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    budget: _duration_pb2.Duration
    clinical: bool
    tiers: _containers.RepeatedCompositeFieldContainer[PathwayTier]
    def __init__(self, name: _Optional[str] = ..., budget: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., clinical: _Optional[bool] = ..., tiers: _Optional[_Iterable[_Union[PathwayTier, _Mapping]]] = ...) -> None: ...

class PathwayTier(_message.Message):
    __slots__ = ("name", "bundle", "execution_providers", "rules", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    bundle: _tiers_pb2.BundleIdentity
    execution_providers: _containers.RepeatedScalarFieldContainer[_tiers_pb2.ExecutionProvider]
    rules: bool
    description: str
    def __init__(self, name: _Optional[str] = ..., bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., execution_providers: _Optional[_Iterable[_Union[_tiers_pb2.ExecutionProvider, str]]] = ..., rules: _Optional[bool] = ..., description: _Optional[str] = ...) -> None: ...

class ModelCard(_message.Message):
    __slots__ = ("bundle", "hti1", "chai", "evidence", "provenance")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    HTI1_FIELD_NUMBER: _ClassVar[int]
    CHAI_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    bundle: _tiers_pb2.BundleIdentity
    hti1: _containers.RepeatedCompositeFieldContainer[CardAttribute]
    chai: _containers.RepeatedCompositeFieldContainer[CardAttribute]
    evidence: _containers.RepeatedCompositeFieldContainer[CardAttribute]
    provenance: Provenance
    def __init__(self, bundle: _Optional[_Union[_tiers_pb2.BundleIdentity, _Mapping]] = ..., hti1: _Optional[_Iterable[_Union[CardAttribute, _Mapping]]] = ..., chai: _Optional[_Iterable[_Union[CardAttribute, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[CardAttribute, _Mapping]]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("builder", "build_type", "start_time", "end_time", "source_commit", "parameters", "hardware", "materials", "edited_files")
    BUILDER_FIELD_NUMBER: _ClassVar[int]
    BUILD_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_COMMIT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_FIELD_NUMBER: _ClassVar[int]
    MATERIALS_FIELD_NUMBER: _ClassVar[int]
    EDITED_FILES_FIELD_NUMBER: _ClassVar[int]
    builder: str
    build_type: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    source_commit: str
    parameters: str
    hardware: str
    materials: _containers.RepeatedCompositeFieldContainer[Material]
    edited_files: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, builder: _Optional[str] = ..., build_type: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source_commit: _Optional[str] = ..., parameters: _Optional[str] = ..., hardware: _Optional[str] = ..., materials: _Optional[_Iterable[_Union[Material, _Mapping]]] = ..., edited_files: _Optional[_Iterable[str]] = ...) -> None: ...

class Material(_message.Message):
    __slots__ = ("name", "uri", "digests", "note")
    class DigestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    name: str
    uri: str
    digests: _containers.ScalarMap[str, str]
    note: str
    def __init__(self, name: _Optional[str] = ..., uri: _Optional[str] = ..., digests: _Optional[_Mapping[str, str]] = ..., note: _Optional[str] = ...) -> None: ...

class CardAttribute(_message.Message):
    __slots__ = ("key", "title", "clause", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CLAUSE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    clause: str
    value: str
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., clause: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
