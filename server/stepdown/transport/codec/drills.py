"""Faults of a drill on the wire. Refuses a request that leaves open what is to happen, or for how long."""

from typing import cast

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.domain.drills import FaultInjection, InjectableFault, InjectedFault
from stepdown.domain.reasons import RejectReason
from stepdown.transport.codec.times import timestamp
from stepdown.transport.refusals import refused

MAXIMUM_DURATION_S = 600.0
MAXIMUM_DELAY_S = 60.0
# Enum values are plain integers at run time; the generated types tell them apart.
_NUMBERS = {fault: cast("wire.Fault", wire.Fault.Value(f"FAULT_{fault}")) for fault in InjectableFault}
_BY_NUMBER = {int(number): fault for fault, number in _NUMBERS.items()}


def decode_injection(message: wire.InjectFaultRequest) -> FaultInjection:
    """The fault asked for. Raises: RequestRejectedError DRILL_MALFORMED."""
    fault = _BY_NUMBER.get(message.fault)
    if fault is None:
        raise _malformed("fault", "say what is to happen")
    duration_s = message.duration.ToMicroseconds() / 1e6
    if not 0 < duration_s <= MAXIMUM_DURATION_S:
        raise _malformed("duration", f"more than 0 and at most {MAXIMUM_DURATION_S:g} s")
    delay_s = message.delay.ToMicroseconds() / 1e6
    if fault is InjectableFault.WORKER_SLOW and not 0 < delay_s <= MAXIMUM_DELAY_S:
        raise _malformed("delay", f"more than 0 and at most {MAXIMUM_DELAY_S:g} s")
    if fault is not InjectableFault.WORKER_SLOW and message.HasField("delay"):
        raise _malformed("delay", "only FAULT_WORKER_SLOW has one")
    return FaultInjection(
        pathway=message.pathway, tier=message.tier, fault=fault, duration_s=duration_s, delay_s=delay_s
    )


def encode_injected(injected: InjectedFault) -> wire.InjectedFault:
    """What was put in, and until when."""
    return wire.InjectedFault(
        fault=_NUMBERS[injected.injection.fault],
        start_time=timestamp(injected.start_time_s),
        end_time=timestamp(injected.end_time_s),
    )


def _malformed(field: str, description: str) -> Exception:
    return refused(RejectReason.DRILL_MALFORMED, field=field, description=description)
