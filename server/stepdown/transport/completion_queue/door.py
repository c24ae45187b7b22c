"""Looks at each new call before its message is read: who calls, whether they may, whether it can be answered in time.

Nothing is decoded for a call that is turned away here. Refuses, as the guard does, whoever comes in a drain.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from stepdown.domain.reasons import RejectReason
from stepdown.domain.tiers import Urgency
from stepdown.ports import Clock
from stepdown.transport.admission import Admission
from stepdown.transport.calls import enter_call
from stepdown.transport.completion_queue.call import LaneCall, arrived
from stepdown.transport.completion_queue.departure import Departures, receive
from stepdown.transport.completion_queue.queue import CallQueue
from stepdown.transport.completion_queue.surface import cygrpc
from stepdown.transport.completion_queue.urgency import declared_urgency
from stepdown.transport.draining import DrainSignal
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.in_flight import InFlight
from stepdown.transport.reception import ReceptionLimits
from stepdown.transport.refusals import messages_missing, overloaded, refused, server_draining
from stepdown.transport.stalls import Stalls
from stepdown.transport.tracing import take_up


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorParts:
    """What stands at the door. `open_calls`: as many at most; `gone` is told of callers that left unanswered."""

    admission: Admission
    departures: Departures
    queue: CallQueue
    drain: DrainSignal
    in_flight: InFlight
    held: HeldBytes
    stalls: Stalls
    limits: ReceptionLimits
    clock: Clock
    open_calls: int
    gone: Callable[[LaneCall], None]


class Door:
    """Lets calls in."""

    def __init__(self, parts: DoorParts) -> None:
        self._parts = parts
        self.open = 0

    def came(self, event: Any, method: str) -> None:  # noqa: ANN401  # the extension module has no types
        """A new call."""
        parts = self._parts
        now_s = parts.clock.monotonic_s()
        arrival = arrived(event, method, now_s=now_s)
        call = LaneCall(arrival, trace=take_up(arrival.metadata), came_s=now_s)
        self.open += 1
        parts.in_flight.enter()
        call.add_callback(self._left)
        try:
            call.caller = parts.admission.permit(method, properties_of(arrival.rpc), call.trace)
            enter_call(call.caller)
            self._let_in(call)
        except Exception as error:  # noqa: BLE001  # becomes a status: whatever it is, it ends one call only
            parts.departures.refuse(call, error)

    def _let_in(self, call: LaneCall) -> None:
        parts = self._parts
        if parts.drain.is_set:
            raise server_draining()
        declared = declared_urgency(call.arrival.metadata)
        call.declared = declared is not None
        # Who declares nothing may be anything: that is seen when the message is read.
        call.urgency = declared or Urgency.EMERGENCY
        if self.open > parts.open_calls or not parts.queue.has_room(call):
            raise overloaded()
        if parts.stalls.dawdling(call.name) >= parts.limits.dawdling:
            raise messages_missing()
        wait = parts.stalls.begin(call, parts.limits.request, sender=call.name)
        receive(call, on_close=partial(self._closed, call), on_message=partial(self._message, call, wait))

    def _message(self, call: LaneCall, wait: int, event: Any) -> None:  # noqa: ANN401
        parts = self._parts
        parts.stalls.end(wait)
        message = event.batch_operations[0].message()
        try:
            self._take(call, message)
        except Exception as error:  # noqa: BLE001
            parts.departures.refuse(call, error)

    def _take(self, call: LaneCall, message: bytes | None) -> None:
        if message is None:
            text = "a call of this method carries exactly one message"
            raise refused(RejectReason.MESSAGE_MALFORMED, field="", description=text)
        held = self._parts.held
        held.admit(call.name, len(message))
        call.at_end(partial(held.release, call.name, len(message)))
        call.message, call.size = message, len(message)
        self._parts.queue.put(call)

    def _closed(self, call: LaneCall, event: Any) -> None:  # noqa: ANN401
        """The call is over; before it was answered if the caller left, or its deadline has come."""
        if event.batch_operations[0].cancelled() and not call.is_settled:
            self._parts.queue.forget(call)
            self._parts.gone(call)

    def _left(self) -> None:
        self.open -= 1
        self._parts.in_flight.leave()


def properties_of(rpc: Any) -> Mapping[str, Sequence[bytes]]:  # noqa: ANN401
    """What the connection of a call has proven, by the names that gRPC's public server uses."""
    return {key.decode(): values for key, values in (cygrpc.auth_context(rpc) or {}).items()}
