"""Faults of a drill on the wire. Refuses a request that leaves open what is to happen, to whom, or for how long."""

from typing import cast

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.domain.drills import (
    CLIENT_FAULTS,
    DELAYING_FAULTS,
    TIER_FAULTS,
    FaultInjection,
    InjectableFault,
    InjectedFault,
)
from stepdown.domain.reasons import RejectReason
from stepdown.transport.codec.times import span_s, timestamp
from stepdown.transport.refusals import refused

MAXIMUM_DURATION_S = 600.0
MAXIMUM_DELAY_S = 60.0
MAXIMUM_CLOCK_STEP_S = 86_400.0
MAXIMUM_DAYS_LEFT = 365
MAXIMUM_CLIENT_CHARACTERS = 512
# Enum values are plain integers at run time; the generated types tell them apart.
_NUMBERS = {fault: cast("wire.Fault", wire.Fault.Value(f"FAULT_{fault}")) for fault in InjectableFault}
_BY_NUMBER = {int(number): fault for fault, number in _NUMBERS.items()}


def decode_injection(message: wire.InjectFaultRequest) -> FaultInjection:
    """The fault asked for. Raises: RequestRejectedError DRILL_MALFORMED."""
    fault = _BY_NUMBER.get(message.fault)
    if fault is None:
        raise _malformed("fault", "say what is to happen")
    _require_place(fault, message)
    return FaultInjection(
        pathway=message.pathway,
        tier=message.tier,
        client=message.client,
        fault=fault,
        duration_s=_duration_s(message),
        delay_s=_delay_s(fault, message),
        clock_step_s=_clock_step_s(fault, message),
        days_left=_days_left(fault, message),
    )


def encode_injected(injected: InjectedFault) -> wire.InjectedFault:
    """What was put in, where, and until when."""
    injection = injected.injection
    return wire.InjectedFault(
        fault=_NUMBERS[injection.fault],
        start_time=timestamp(injected.start_time_s),
        end_time=timestamp(injected.end_time_s),
        pathway=injection.pathway,
        tier=injection.tier,
        client=injection.client,
    )


def _require_place(fault: InjectableFault, message: wire.InjectFaultRequest) -> None:
    """Whom it is for is said once, and nothing is said that would not be heeded."""
    for field, given in (("pathway", message.pathway), ("tier", message.tier)):
        if fault not in TIER_FAULTS and given:
            raise _malformed(field, f"FAULT_{fault} is not a tier's")
    if fault not in CLIENT_FAULTS and message.client:
        raise _malformed("client", f"FAULT_{fault} is not a client's")
    client = message.client
    if fault in CLIENT_FAULTS and not (client.isprintable() and 0 < len(client) <= MAXIMUM_CLIENT_CHARACTERS):
        raise _malformed("client", "say for whom, by the identity that the client's certificate states")


def _duration_s(message: wire.InjectFaultRequest) -> float:
    duration_s = span_s(message.duration)
    if not 0 < duration_s <= MAXIMUM_DURATION_S:
        raise _malformed("duration", f"more than 0 and at most {MAXIMUM_DURATION_S:g} s")
    return duration_s


def _delay_s(fault: InjectableFault, message: wire.InjectFaultRequest) -> float:
    delay_s = span_s(message.delay)
    if fault in DELAYING_FAULTS and not 0 < delay_s <= MAXIMUM_DELAY_S:
        raise _malformed("delay", f"more than 0 and at most {MAXIMUM_DELAY_S:g} s")
    if fault not in DELAYING_FAULTS and message.HasField("delay"):
        raise _malformed("delay", f"FAULT_{fault} has none")
    return delay_s


def _clock_step_s(fault: InjectableFault, message: wire.InjectFaultRequest) -> float:
    step_s = span_s(message.clock_step)
    if fault is InjectableFault.CLOCK_JUMP and not 0 < abs(step_s) <= MAXIMUM_CLOCK_STEP_S:
        raise _malformed("clock_step", f"not 0, and at most {MAXIMUM_CLOCK_STEP_S:g} s to either side")
    if fault is not InjectableFault.CLOCK_JUMP and message.HasField("clock_step"):
        raise _malformed("clock_step", "only FAULT_CLOCK_JUMP has one")
    return step_s


def _days_left(fault: InjectableFault, message: wire.InjectFaultRequest) -> int:
    if not 0 <= message.days_left <= MAXIMUM_DAYS_LEFT:
        raise _malformed("days_left", f"0 to {MAXIMUM_DAYS_LEFT}")
    if fault is not InjectableFault.CERTIFICATE_EXPIRING and message.days_left:
        raise _malformed("days_left", "only FAULT_CERTIFICATE_EXPIRING has them")
    return message.days_left


def _malformed(field: str, description: str) -> Exception:
    return refused(RejectReason.DRILL_MALFORMED, field=field, description=description)
