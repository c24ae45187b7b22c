"""How a call of the lane ends: with an answer that its client reads in time, or with a status. Never with both."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.rpc.status_pb2 import Status

from stepdown.transport.admission import Admission, ending_metadata
from stepdown.transport.calls import enter_call
from stepdown.transport.completion_queue.call import LaneCall
from stepdown.transport.completion_queue.surface import cygrpc
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.stalls import Patience, Stalls
from stepdown.transport.tracing import TRACERESPONSE

_NO_FLAGS = 0
_OK = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended that was answered in a thread: serialised answer or None, status code, its text, trailers."""

    answer: bytes | None
    code: int
    details: str
    trailing: tuple[tuple[str, str | bytes], ...]


class Departures:
    """Sends what calls end with."""

    def __init__(self, admission: Admission, *, held: HeldBytes, stalls: Stalls, patience: Patience) -> None:
        """`patience`: how long a client may take to read its answer."""
        self._admission = admission
        self._held = held
        self._stalls = stalls
        self._patience = patience

    def answer(self, call: LaneCall, answer: bytes) -> None:
        """The answer, counted until the client has it."""
        self._held.hold(call.name, len(answer))
        call.at_end(partial(self._held.release, call.name, len(answer)))
        call.at_end(partial(self._stalls.end, self._stalls.begin(call, self._patience)))
        self.end(call, Ending(answer=answer, code=_OK, details="", trailing=((TRACERESPONSE, call.trace.response),)))

    def refuse(self, call: LaneCall, error: Exception) -> None:
        """The status of what was raised in it, put on record."""
        if not call.is_settled:
            if call.caller is not None:
                enter_call(call.caller)
            self.status(call, self._admission.status(error, call.method))

    def status(self, call: LaneCall, status: Status) -> None:
        """A status with its details."""
        self.end(
            call,
            Ending(answer=None, code=status.code, details=status.message, trailing=ending_metadata(status, call.trace)),
        )

    def end(self, call: LaneCall, ending: Ending) -> None:
        """Send it, unless the call was ended already or its caller has left."""
        if call.is_settled or call.is_over:
            return
        operations: list[object] = [cygrpc.SendInitialMetadataOperation(None, _NO_FLAGS)]
        if ending.answer is not None:
            operations.append(cygrpc.SendMessageOperation(ending.answer, _NO_FLAGS))
        details = ending.details.encode()
        operations.append(cygrpc.SendStatusFromServerOperation(ending.trailing, ending.code, details, _NO_FLAGS))
        if not call.is_awaited:
            operations.append(cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS))
        settle(call)
        call.start(operations)


def settle(call: LaneCall) -> None:
    """Nothing more will be said in this call: let go of what was needed for it."""
    call.is_settled = True
    call.answer = None
    call.request = None
    call.message = b""


def receive(call: LaneCall, *, on_close: Callable[[Any], None], on_message: Callable[[Any], None]) -> None:
    """Listen for the end of the call and for its message."""
    call.is_awaited = True
    call.start((cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS),), on_close)
    call.start((cygrpc.ReceiveMessageOperation(_NO_FLAGS),), on_message)
