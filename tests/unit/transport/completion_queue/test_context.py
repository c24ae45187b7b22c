"""A call of the lane as servicers see it."""

from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from stepdown.adapters.system_clock import SystemClock
from stepdown.transport.completion_queue.call import Arrived, LaneCall
from stepdown.transport.completion_queue.context import LaneContext
from stepdown.transport.tracing import Trace

TRACE = Trace(trace_id="4b" * 16, span_id="5c" * 8, sampled=False)


class Core:
    """What the core does for a call, remembered."""

    def __init__(self) -> None:
        self.started: list[tuple[tuple[object, ...], Any]] = []
        self.cancelled = 0
        self.refuses = False

    def start_server_batch(self, operations: tuple[object, ...], tag: Any) -> int:  # noqa: ANN401
        self.started.append((operations, tag))
        return int(self.refuses)

    def cancel(self) -> None:
        self.cancelled += 1

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"


def call_of(core: Core, *, deadline_s: float | None = None) -> LaneCall:
    arrival = Arrived(rpc=core, method="/a/b", metadata=(("k", "v"),), deadline_s=deadline_s)
    return LaneCall(arrival, trace=TRACE, came_s=0.0)


def context_of(call: LaneCall) -> LaneContext:
    return LaneContext(call, properties={"peer": [b"x"]}, clock=SystemClock())


def test_it_tells_what_the_call_knows() -> None:
    core = Core()
    context = context_of(call_of(core))
    assert context.is_active()
    assert context.time_remaining() > 10 * 365 * 86_400
    assert context.invocation_metadata() == (("k", "v"),)
    assert context.auth_context() == {"peer": [b"x"]}
    assert context.peer() == "ipv4:127.0.0.1:1"
    assert context.cancel()
    assert core.cancelled == 1


def test_a_deadline_that_has_passed_leaves_nothing() -> None:
    assert context_of(call_of(Core(), deadline_s=0.0)).time_remaining() == 0.0


def test_it_is_ended_as_a_context_of_grpcs_own_is() -> None:
    context = context_of(call_of(Core()))
    assert context.code() is None
    ending = SimpleNamespace(code=grpc.StatusCode.ABORTED, details="text", trailing_metadata=(("a", "b"),))
    with pytest.raises(Exception) as raised:  # noqa: PT011  # a bare one is what the guard looks for
        context.abort_with_status(ending)  # type: ignore[arg-type]
    assert (type(raised.value), raised.value.args) == (Exception, ())
    assert (context.code(), context.ending_details) == (grpc.StatusCode.ABORTED, "text")
    assert context.trailing == (("a", "b"),)


@pytest.mark.parametrize(
    "name", ["peer_identities", "peer_identity_key", "send_initial_metadata", "set_code", "set_details"]
)
def test_what_nobody_here_asks_for_is_refused(name: str) -> None:
    with pytest.raises((NotImplementedError, TypeError)):
        getattr(context_of(call_of(Core())), name)()


def test_what_is_due_at_the_end_is_done_once_when_the_last_operation_is_over() -> None:
    core, told = Core(), []
    call = call_of(core)
    assert call.add_callback(lambda: told.append("end"))
    call.start((1,), told.append)
    call.start((2,))
    for number, (_, tag) in enumerate(core.started):
        assert told == ["event"] * number
        tag("event")
    assert told == ["event", "end"]
    assert call.is_over
    assert not call.add_callback(told.clear)
    call.at_end(lambda: told.append("late"))
    assert told == ["event", "end", "late"]
    assert not call.wake(print)


def test_a_call_that_the_core_takes_nothing_more_for_is_over() -> None:
    core = Core()
    core.refuses = True
    call = call_of(core)
    call.start((1,))
    assert call.is_over
