"""Faults on purpose: who may ask, where never, and what goes on record."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.domain.alarms import Alarm, AlarmKind, StandingAlarm
from stepdown.domain.drills import FaultInjection, InjectableFault
from tests.fakes.chain import FakeChain
from tests.fakes.drills import START_S, FakeDrills, injected_fault
from tests.fakes.statuses import PATHWAY, pathway_status, tier_status
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

OPERATOR = "spiffe://stepdown.demo/operator/test"


NOWHERE: dict[str, Any] = {"pathway": "", "tier": ""}
TO_A_CLIENT: dict[str, Any] = NOWHERE | {"client": "spiffe://stepdown.demo/assessor/ward"}
SECOND = Duration(seconds=1)
NEEDS: dict[InjectableFault, dict[str, Any]] = {
    InjectableFault.WORKER_SLOW: {"delay": SECOND},
    InjectableFault.CLOCK_JUMP: NOWHERE | {"clock_step": Duration(seconds=-3600)},
    InjectableFault.CERTIFICATE_EXPIRING: NOWHERE | {"days_left": 5},
    InjectableFault.CPU_HALVED: NOWHERE,
    InjectableFault.LEDGER_DISK_FULL: NOWHERE,
    InjectableFault.NETWORK_DELAY: TO_A_CLIENT | {"delay": SECOND},
    InjectableFault.NETWORK_PARTITION: TO_A_CLIENT,
}
MALFORMED: tuple[dict[str, Any], ...] = (
    {"fault": wire.FAULT_UNSPECIFIED},
    {"fault": 99},
    {"duration": None},
    {"duration": Duration(seconds=-1)},
    {"duration": Duration(seconds=601)},
    {"duration": Duration(seconds=1 << 62)},
    {"fault": wire.FAULT_WORKER_SLOW},
    {"delay": SECOND},
    {"fault": wire.FAULT_WORKER_SLOW, "delay": Duration(seconds=61)},
    {"client": "spiffe://stepdown.demo/assessor/ward"},
    {"clock_step": SECOND},
    {"days_left": 5},
    {"fault": wire.FAULT_CPU_HALVED},
    NOWHERE | {"fault": wire.FAULT_CPU_HALVED, "tier": "full"},
    NOWHERE | {"fault": wire.FAULT_CLOCK_JUMP},
    NOWHERE | {"fault": wire.FAULT_CLOCK_JUMP, "clock_step": Duration(seconds=86_401)},
    NOWHERE | {"fault": wire.FAULT_CERTIFICATE_EXPIRING, "days_left": 366},
    NOWHERE | {"fault": wire.FAULT_CERTIFICATE_EXPIRING, "days_left": -1},
    NOWHERE | {"fault": wire.FAULT_NETWORK_PARTITION},
    TO_A_CLIENT | {"fault": wire.FAULT_NETWORK_DELAY},
    TO_A_CLIENT | {"fault": wire.FAULT_NETWORK_PARTITION, "client": "two\nlines"},
)


def request(**changes: Any) -> wire.InjectFaultRequest:  # noqa: ANN401 - any field may be named
    fields: dict[str, Any] = {
        "pathway": PATHWAY,
        "tier": "full",
        "fault": wire.FAULT_STICKY_ERROR,
        "duration": Duration(seconds=5),
        "detail": "monthly drill",
    }
    return wire.InjectFaultRequest(**(fields | changes))


def inject(side: GrpcSide, channel: grpc.Channel | None = None, **changes: Any) -> wire.InjectedFault:  # noqa: ANN401
    response = OperationsServiceStub(channel or side.operator).InjectFault(request(**changes), timeout=5)
    return response.injected_fault


def test_a_fault_is_put_in_and_goes_on_record_with_who_asked_and_why() -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        injected = inject(side, fault=wire.FAULT_WORKER_SLOW, delay=Duration(nanos=250_000_000))
    assert (injected.fault, injected.start_time.ToSeconds()) == (wire.FAULT_WORKER_SLOW, round(START_S))
    assert injected.end_time.ToSeconds() == round(START_S) + 5
    (only,) = drills.injected()
    assert only.injection == FaultInjection(
        pathway=PATHWAY, tier="full", fault=InjectableFault.WORKER_SLOW, duration_s=5.0, delay_s=0.25
    )
    assert side.recorded.events == [
        (
            "fault_injected",
            {
                "pathway": PATHWAY,
                "tier": "full",
                "caller": OPERATOR,
                "detail": "monthly drill",
                "fault": "WORKER_SLOW",
                "duration_s": 5.0,
            },
        )
    ]


@pytest.mark.parametrize("fault", InjectableFault)
def test_every_fault_has_a_number_on_the_wire(fault: InjectableFault) -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        inject(side, fault=wire.Fault.Value(f"FAULT_{fault}"), **NEEDS.get(fault, {}))
        listed = OperationsServiceStub(side.operator).ListTiers(wire.ListTiersRequest(), timeout=5).injected_faults
    assert [each.injection.fault for each in drills.injected()] == [fault]
    assert [wire.Fault.Name(each.fault) for each in listed] == [f"FAULT_{fault}"]


def test_a_server_that_permits_no_drills_refuses_and_records_the_attempt() -> None:
    with grpc_side() as side:
        failed = failure_of(lambda: inject(side))
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "DRILLS_NOT_PERMITTED")
    ((name, fields),) = side.recorded.events
    assert (name, fields["caller"]) == ("fault_refused", OPERATOR)


@pytest.mark.parametrize("role", ["assessor", "viewer"])
def test_nobody_but_an_operator_injects_anything(role: str) -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        failed = failure_of(lambda: inject(side, side.channel(role)))
    assert failed.code is grpc.StatusCode.PERMISSION_DENIED
    assert drills.injected() == ()


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"pathway": "unheard-of"}, grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
        ({"tier": "unheard-of"}, grpc.StatusCode.NOT_FOUND, "TIER_UNKNOWN"),
        ({"detail": " "}, grpc.StatusCode.INVALID_ARGUMENT, "DETAIL_REQUIRED"),
    ],
)
def test_a_drill_that_leaves_something_open_is_refused(
    changes: dict[str, Any], code: grpc.StatusCode, reason: str
) -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        failed = failure_of(lambda: inject(side, **changes))
    assert (failed.code, failed.reason, drills.injected()) == (code, reason, ())


@pytest.mark.parametrize("changes", MALFORMED, ids=str)
def test_a_drill_that_says_too_little_or_what_would_not_be_heeded_is_malformed(changes: dict[str, Any]) -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        failed = failure_of(lambda: inject(side, **changes))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED")
    assert drills.injected() == ()


def test_a_second_fault_in_a_place_is_refused_and_one_elsewhere_is_not() -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        inject(side, fault=wire.FAULT_CPU_HALVED, **NOWHERE)
        failed = failure_of(lambda: inject(side, fault=wire.FAULT_CPU_HALVED, **NOWHERE))
        inject(side, fault=wire.FAULT_NETWORK_PARTITION, **TO_A_CLIENT)
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "DRILL_NOT_POSSIBLE")
    assert [fields.get("client") for _, fields in side.recorded.events] == [None, TO_A_CLIENT["client"]]


def test_alarms_that_stand_are_listed_with_the_tiers() -> None:
    alarm = Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject="sepsis-full@1.0.0", detail="DIGEST_MISMATCH")
    with grpc_side(alarms=lambda: (StandingAlarm(alarm=alarm, since_time_s=START_S),)) as side:
        (listed,) = OperationsServiceStub(side.operator).ListTiers(wire.ListTiersRequest(), timeout=5).alarms
    assert (listed.kind, listed.subject) == (wire.ALARM_KIND_BUNDLE_DAMAGED, "sepsis-full@1.0.0")
    assert (listed.detail, listed.start_time.ToSeconds()) == ("DIGEST_MISMATCH", round(START_S))


def test_a_fault_that_cannot_be_put_in_is_a_precondition_and_says_which() -> None:
    drills = FakeDrills()
    drills.worker_lost = True
    with grpc_side(drills=drills) as side:
        failed = failure_of(lambda: inject(side))
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "DRILL_NOT_POSSIBLE")
    assert side.recorded.events == []


def test_a_tier_shows_the_fault_that_is_in_it() -> None:
    injection = FaultInjection(pathway=PATHWAY, tier="full", fault=InjectableFault.OUTPUT_NAN, duration_s=3.0)
    tiers = (tier_status(injected_fault=injected_fault(injection)), tier_status(name="distilled"))
    with grpc_side(chain=FakeChain(pathway_status(*tiers))) as side:
        (report,) = OperationsServiceStub(side.operator).ListTiers(wire.ListTiersRequest(), timeout=5).pathways
    full, distilled = report.tiers
    assert full.injected_fault.fault == wire.FAULT_OUTPUT_NAN
    assert full.injected_fault.end_time.ToSeconds() == round(START_S) + 3
    assert not distilled.HasField("injected_fault")
