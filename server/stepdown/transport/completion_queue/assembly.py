"""Puts a lane together around a public server. Refuses to choose whether there is one: the listener does."""

from dataclasses import dataclass

import grpc

from stepdown.ports import Asked, Clock
from stepdown.transport.admission import Admission
from stepdown.transport.calls import CallRecord
from stepdown.transport.completion_queue.departure import Departures
from stepdown.transport.completion_queue.door import Door, DoorParts
from stepdown.transport.completion_queue.gathering import GatheredQuestions
from stepdown.transport.completion_queue.lane import Lane
from stepdown.transport.completion_queue.methods import LaneMethods
from stepdown.transport.completion_queue.queue import CallQueue
from stepdown.transport.completion_queue.server import LaneServer
from stepdown.transport.completion_queue.work import Work, WorkParts
from stepdown.transport.guard import Guard
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.interference import Interference
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.listener_resources import ListenerResources


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneParts:
    """What a lane shares with the guard of the public server."""

    guard: Guard
    admission: Admission
    held: HeldBytes
    resources: ListenerResources
    options: ListenerOptions
    interference: Interference | None
    chain: Asked
    clock: Clock
    record: CallRecord


def with_lane(server: grpc.Server, parts: LaneParts) -> LaneServer:
    """The same server with a lane."""
    chain = GatheredQuestions(parts.chain)
    resources, options = parts.resources, parts.options
    methods = LaneMethods()
    departures = Departures(
        parts.admission, held=parts.held, stalls=resources.stalls, patience=options.reception.delivery
    )
    queue = CallQueue(
        methods, admission=parts.admission, departures=departures, shedding=options.shedding, clock=parts.clock
    )
    work = Work(
        _work_parts(parts, chain=chain, methods=methods, queue=queue, departures=departures),
        wake=lambda call: lane.wake(call),  # noqa: PLW0108  # the lane is made last
    )
    door = Door(
        DoorParts(
            admission=parts.admission,
            departures=departures,
            queue=queue,
            drain=resources.drain,
            in_flight=resources.in_flight,
            held=parts.held,
            stalls=resources.stalls,
            limits=options.reception,
            clock=parts.clock,
            open_calls=options.concurrent_calls,
            gone=work.gone,
        )
    )
    lane = Lane(door=door, work=work, queue=queue, clock=parts.clock, incident=parts.record.incident)
    return LaneServer(server, lane=lane, methods=methods, guard=parts.guard, asked=chain)


def _work_parts(
    parts: LaneParts,
    *,
    chain: GatheredQuestions,
    methods: LaneMethods,
    queue: CallQueue,
    departures: Departures,
) -> WorkParts:
    return WorkParts(
        admission=parts.admission,
        departures=departures,
        queue=queue,
        methods=methods,
        chain=chain,
        threads=parts.resources.calls,
        clock=parts.clock,
        interference=parts.interference,
        incident=parts.record.incident,
    )
