"""What the edge knows of the call it is in: who calls, and in which trace. Refuses to be known outside of a call."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from stepdown.domain.notices import Notice
from stepdown.transport.authorization import Caller
from stepdown.transport.recording import NO_RECORDING, CallerOnRecord, Recording
from stepdown.transport.tracing import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was let in. `waited_s`: how long it waited to be begun."""

    caller: Caller
    trace: Trace
    waited_s: float = 0.0


class EventLog(Protocol):
    """Writes one line: a name and plain fields."""

    def __call__(self, name: str, /, **fields: object) -> None:
        """Write it; must not raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Where the edge puts on record what happens to calls. None of it carries what a client sent.

    `notice` tells the observers; `event` writes one line for the audit of who was turned away; `incident` keeps an
    unexpected exception and returns the id by which an operator finds it; `recording` puts answers and refusals on the
    ledger.
    """

    notice: Callable[[Notice], None]
    event: EventLog
    incident: Callable[[BaseException], str]
    recording: Recording = field(default=NO_RECORDING)


_current: ContextVar[Call] = ContextVar("stepdown_call")


def enter_call(call: Call) -> None:
    """Make it the current call, for the rest of this call's own context."""
    _current.set(call)


def current_call() -> Call:
    """The call being answered. Raises: LookupError outside of one."""
    return _current.get()


def caller_now(request_digest: str = "") -> CallerOnRecord:
    """Who asks in the current call, as the ledger says it; nobody outside of one."""
    call = _current.get(None)
    if call is None:
        return CallerOnRecord(name="", trace_id="", request_digest=request_digest)
    return CallerOnRecord(name=call.caller.name, trace_id=call.trace.trace_id, request_digest=request_digest)
