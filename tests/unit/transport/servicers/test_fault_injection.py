"""Faults on purpose: who may ask, where never, and what goes on record."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.domain.drills import FaultInjection, InjectableFault
from tests.fakes.chain import FakeChain
from tests.fakes.drills import START_S, FakeDrills, injected_fault
from tests.fakes.statuses import PATHWAY, pathway_status, tier_status
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

OPERATOR = "spiffe://stepdown.demo/operator/test"


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
    delay = Duration(seconds=1) if fault is InjectableFault.WORKER_SLOW else None
    with grpc_side(drills=drills) as side:
        inject(side, fault=wire.Fault.Value(f"FAULT_{fault}"), delay=delay)
    assert [each.injection.fault for each in drills.injected()] == [fault]


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
        ({"fault": wire.FAULT_UNSPECIFIED}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"fault": 99}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"duration": None}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"duration": Duration(seconds=-1)}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"duration": Duration(seconds=601)}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"fault": wire.FAULT_WORKER_SLOW}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        ({"delay": Duration(seconds=1)}, grpc.StatusCode.INVALID_ARGUMENT, "DRILL_MALFORMED"),
        (
            {"fault": wire.FAULT_WORKER_SLOW, "delay": Duration(seconds=61)},
            grpc.StatusCode.INVALID_ARGUMENT,
            "DRILL_MALFORMED",
        ),
    ],
)
def test_a_drill_that_leaves_something_open_is_refused(
    changes: dict[str, Any], code: grpc.StatusCode, reason: str
) -> None:
    drills = FakeDrills()
    with grpc_side(drills=drills) as side:
        failed = failure_of(lambda: inject(side, **changes))
    assert (failed.code, failed.reason, drills.injected()) == (code, reason, ())


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
