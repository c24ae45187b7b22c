from stepdown.api.oip import infer_pb2 as _infer_pb2
from stepdown.api.oip import metadata_pb2 as _metadata_pb2
from stepdown.api.oip import model_configuration_pb2 as _model_configuration_pb2
from stepdown.api.oip import repository_pb2 as _repository_pb2
from stepdown.api.oip import settings_pb2 as _settings_pb2
from stepdown.api.oip import shared_memory_pb2 as _shared_memory_pb2
from stepdown.api.oip import statistics_pb2 as _statistics_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
