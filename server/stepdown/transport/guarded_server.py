"""A gRPC server with the guard before everything it serves, and a lane for the calls that come in floods.

Which of the two ways such calls go is an option; where gRPC lacks what the lane stands on it is the public one, and
that is said. Refuses to serve anything unguarded.
"""

import grpc

from stepdown.ports import Asked, Clock
from stepdown.transport.admission import Admission, CallLimits
from stepdown.transport.authorization import Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.completion_queue.assembly import LaneParts, with_lane
from stepdown.transport.completion_queue.surface import obstacle
from stepdown.transport.guard import Guard
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.interference import Interference
from stepdown.transport.listener_options import ListenerOptions, Transport, TransportStatus
from stepdown.transport.listener_resources import ListenerResources
from stepdown.transport.reception import Reception

LARGE_METHODS = (
    "/stepdown.api.v1.AssessmentService/BatchAssessRisk",
    "/inference.GRPCInferenceService/ModelInfer",
    "/inference.GRPCInferenceService/ModelStreamInfer",
)

_LAST_RESORT = 4
# Looked at once: what is imported does not change.
_HINDRANCE = obstacle()


def guarded_server(
    resources: ListenerResources,
    options: ListenerOptions,
    *,
    authorization: Authorization,
    chain: Asked,
    record: CallRecord,
    clock: Clock,
    interference: Interference | None,
) -> tuple[grpc.Server, TransportStatus]:
    """A server without services and without a port, and how it serves unary calls."""
    admission = _admission(resources, options, authorization=authorization, record=record)
    held = HeldBytes(limit=options.held_bytes, caller_limit=options.held_bytes // 2)
    guard = _guard(admission, held, resources=resources, options=options, interference=interference)
    server = grpc.server(
        resources.calls,
        interceptors=[guard],
        options=options.channel_arguments(),
        # Long before this the guard refuses by its own word; gRPC would do it with a bare text.
        maximum_concurrent_rpcs=_LAST_RESORT * options.concurrent_calls,
    )
    transport = chosen(options.transport)
    if transport.fallback_reason:
        record.event("transport_fell_back", to=transport.name, reason=transport.fallback_reason)
    if transport.name == "public":
        return server, transport
    parts = LaneParts(
        guard=guard,
        admission=admission,
        held=held,
        resources=resources,
        options=options,
        interference=interference,
        chain=chain,
        clock=clock,
        record=record,
    )
    return with_lane(server, parts), transport


def _admission(
    resources: ListenerResources, options: ListenerOptions, *, authorization: Authorization, record: CallRecord
) -> Admission:
    return Admission(
        authorization=authorization,
        record=record,
        limits=CallLimits(
            request_bytes=options.request_bytes,
            method_request_bytes=dict.fromkeys(LARGE_METHODS, options.large_request_bytes),
        ),
        in_flight=resources.in_flight,
        open_streams=resources.open_streams,
    )


def _guard(
    admission: Admission,
    held: HeldBytes,
    *,
    resources: ListenerResources,
    options: ListenerOptions,
    interference: Interference | None,
) -> Guard:
    return Guard(
        admission,
        reception=Reception(stalls=resources.stalls, held=held, limits=options.reception),
        lanes=resources.lanes,
        drain=resources.drain,
        interference=interference,
    )


def chosen(wanted: Transport) -> TransportStatus:
    """The transport that is wanted, or the public one where gRPC lacks what the lane stands on."""
    if wanted == "completion_queue" and _HINDRANCE:
        return TransportStatus(name="public", fallback_reason=_HINDRANCE)
    return TransportStatus(name=wanted)
