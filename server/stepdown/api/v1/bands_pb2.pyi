from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Band(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BAND_UNSPECIFIED: _ClassVar[Band]
    BAND_INDETERMINATE: _ClassVar[Band]
    BAND_LOW: _ClassVar[Band]
    BAND_LOW_MEDIUM: _ClassVar[Band]
    BAND_MEDIUM: _ClassVar[Band]
    BAND_HIGH: _ClassVar[Band]
BAND_UNSPECIFIED: Band
BAND_INDETERMINATE: Band
BAND_LOW: Band
BAND_LOW_MEDIUM: Band
BAND_MEDIUM: Band
BAND_HIGH: Band
