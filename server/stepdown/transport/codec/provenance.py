"""A bundle's provenance on the wire."""

from google.protobuf.timestamp_pb2 import Timestamp

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.domain.provenance import Provenance
from stepdown.transport.codec.times import timestamp


def encode_provenance(provenance: Provenance) -> wire.Provenance:
    """The same as a message; what is not said stays unset."""
    return wire.Provenance(
        builder=provenance.builder,
        build_type=provenance.build_type,
        start_time=_time(provenance.started_time_s),
        end_time=_time(provenance.finished_time_s),
        source_commit=next((each.source_commit for each in provenance.materials if each.source_commit), ""),
        parameters=provenance.parameters,
        hardware=provenance.hardware,
        materials=[
            wire.Material(name=each.name, uri=each.uri, digests=dict(each.digests), note=each.note)
            for each in provenance.materials
        ],
        edited_files=provenance.edited,
    )


def _time(time_s: float | None) -> Timestamp | None:
    return None if time_s is None else timestamp(time_s)
