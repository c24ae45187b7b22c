"""Messages that are announced and do not come."""

import pytest

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.transport.authorization import Caller, Role
from stepdown.transport.calls import Call, enter_call
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.reception import Reception, ReceptionLimits
from stepdown.transport.stalls import SWEEP_S
from stepdown.transport.tracing import Trace
from tests.unit.transport.test_stalls import PATIENCE, Bench, Waiting


class OpenContext(Waiting):
    """A call whose end is still to come."""

    def add_callback(self, _callback: object) -> bool:
        return True


def test_who_sends_nothing_in_many_calls_is_told_to_come_again_and_others_are_heard() -> None:
    bench, limits = Bench(), ReceptionLimits(dawdling=3)
    reception = Reception(stalls=bench.stalls, held=HeldBytes(limit=100, caller_limit=100), limits=limits)
    for _ in range(limits.dawdling):
        bench.stalls.begin(Waiting().context, PATIENCE, sender="slow")
    bench.after(2 * SWEEP_S)
    enter_as("slow")
    with pytest.raises(RequestRejectedError) as refused:
        reception.message(iter([b"request"]), OpenContext().context)
    assert refused.value.reason is RejectReason.OVERLOADED
    assert refused.value.retry_after_s
    enter_as("other")
    assert reception.message(iter([b"request"]), OpenContext().context) == b"request"


def enter_as(name: str) -> None:
    trace = Trace(trace_id="4b" * 16, span_id="5c" * 8, sampled=False)
    enter_call(Call(caller=Caller(name=name, roles=frozenset({Role.ASSESSOR})), trace=trace))
