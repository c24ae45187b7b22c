"""Whose fault a failure is, and what is done about it: one table, which the worker and the engine both read.

Whatever the class, nothing is retried where it failed: the next tier is asked at once. The table says what becomes of
the worker. A fault of one model never takes a device from the others, and a caller's input is never a device's fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from stepdown.domain.reasons import Reason


class FaultClass(StrEnum):
    """Whose fault it is."""

    DEVICE = "device"
    MODEL = "model"
    INPUT = "input"
    CAPACITY = "capacity"
    DEADLINE = "deadline"
    INTEGRITY = "integrity"
    INTERNAL = "internal"


class Comeback(StrEnum):
    """How a tier comes back whose worker a fault has ended."""

    BACK_OFF = "back-off"
    """A new process after a growing wait; quarantine when the fault budget is spent."""
    LOOK_AGAIN = "look again"
    """Tried now and then for as long as it takes: nothing is broken that haste would mend, and a device may return."""
    NEVER = "never"
    """Not with this bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a fault calls for. `ends_worker`: nothing its process does next can be trusted, so it is killed."""

    fault_class: FaultClass
    ends_worker: bool
    comeback: Comeback = Comeback.BACK_OFF


def _treatment(fault_class: FaultClass, *, ends_worker: bool, comeback: Comeback = Comeback.BACK_OFF) -> Treatment:
    return Treatment(fault_class=fault_class, ends_worker=ends_worker, comeback=comeback)


LOST_CONTEXT = _treatment(FaultClass.DEVICE, ends_worker=True)
"""A sticky error: the process has lost its device as a whole, whatever the reason it gave."""

TREATMENTS: Mapping[Reason, Treatment] = MappingProxyType(
    {
        Reason.PROVIDER_UNAVAILABLE: _treatment(FaultClass.DEVICE, ends_worker=True, comeback=Comeback.LOOK_AGAIN),
        Reason.PLACEMENT_TOO_LOW: _treatment(FaultClass.DEVICE, ends_worker=True, comeback=Comeback.LOOK_AGAIN),
        Reason.NOT_CONFIGURED: _treatment(FaultClass.MODEL, ends_worker=True, comeback=Comeback.LOOK_AGAIN),
        Reason.KNOWN_ANSWER_MISMATCH: _treatment(FaultClass.DEVICE, ends_worker=True),
        Reason.WORKER_LOST: _treatment(FaultClass.DEVICE, ends_worker=True),
        Reason.WORKER_HUNG: _treatment(FaultClass.DEVICE, ends_worker=True),
        Reason.DEVICE_UNHEALTHY: _treatment(FaultClass.DEVICE, ends_worker=True),
        Reason.EXECUTION_FAILED: _treatment(FaultClass.MODEL, ends_worker=False),
        Reason.OUTPUT_INVALID: _treatment(FaultClass.MODEL, ends_worker=False),
        Reason.INPUT_UNSUITABLE: _treatment(FaultClass.INPUT, ends_worker=False),
        Reason.OUT_OF_MEMORY: _treatment(FaultClass.CAPACITY, ends_worker=True),
        Reason.QUEUE_FULL: _treatment(FaultClass.CAPACITY, ends_worker=False),
        Reason.DEADLINE_TOO_SHORT: _treatment(FaultClass.DEADLINE, ends_worker=False),
        Reason.SIGNATURE_INVALID: _treatment(FaultClass.INTEGRITY, ends_worker=True, comeback=Comeback.NEVER),
        Reason.BUNDLE_DENIED: _treatment(FaultClass.INTEGRITY, ends_worker=True, comeback=Comeback.NEVER),
        Reason.BUNDLE_NOT_DECRYPTED: _treatment(FaultClass.INTEGRITY, ends_worker=True, comeback=Comeback.LOOK_AGAIN),
        Reason.EVIDENCE_MISSING: _treatment(FaultClass.INTEGRITY, ends_worker=True, comeback=Comeback.LOOK_AGAIN),
        Reason.INTERNAL_FAULT: _treatment(FaultClass.INTERNAL, ends_worker=False),
    }
)
"""By reason. A reason that is not here (STARTING, OPERATOR_DISABLED, ...) is a state, and nobody's fault."""


def treatment_of(reason: Reason, *, sticky: bool = False) -> Treatment:
    """What a fault calls for. `sticky`: the worker says itself that it cannot go on.

    A state that is given as a fault is a defect of ours, and treated as one.
    """
    treatment = TREATMENTS.get(reason, TREATMENTS[Reason.INTERNAL_FAULT])
    return LOST_CONTEXT if sticky and not treatment.ends_worker else treatment
