from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from stepdown.domain.tiers import Capability
from tests.fakes.chain import FakeChain
from tests.fakes.statuses import PATHWAY, pathway_status
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def stub(side: GrpcSide) -> Any:  # noqa: ANN401 - the published types of the stub have no methods
    return HealthStub(side.channel("viewer"))


def watch(side: GrpcSide, service: str) -> Any:  # noqa: ANN401 - as above
    return stub(side).Watch(health_pb2.HealthCheckRequest(service=service))


@pytest.mark.parametrize("service", ["", "stepdown.api.v1.AssessmentService", f"pathway/{PATHWAY}"])
@pytest.mark.parametrize("capability", Capability)
def test_a_check_tells_whether_anything_answers(service: str, capability: Capability) -> None:
    with grpc_side(chain=FakeChain(pathway_status(capability=capability))) as side:
        response = stub(side).Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    assert response.status == (NOT_SERVING if capability is Capability.NONE else SERVING)


def test_a_check_of_an_unknown_service_is_not_found(side: GrpcSide) -> None:
    failed = failure_of(lambda: stub(side).Check(health_pb2.HealthCheckRequest(service="unheard-of"), timeout=5))
    assert failed.code is grpc.StatusCode.NOT_FOUND


def test_a_list_holds_what_a_check_would_tell(side: GrpcSide) -> None:
    statuses = stub(side).List(health_pb2.HealthListRequest(), timeout=5).statuses  # type: ignore[attr-defined]
    assert {"", f"pathway/{PATHWAY}", f"tier/{PATHWAY}/full", "grpc.health.v1.Health"} - set(statuses) == {
        "grpc.health.v1.Health"
    }
    assert {each.status for each in statuses.values()} == {SERVING}


def test_a_watch_of_a_pathway_is_told_each_change_of_capability_even_while_it_serves(side: GrpcSide) -> None:
    watching = watch(side, f"pathway/{PATHWAY}")
    assert next(watching).status == SERVING
    told = []
    for capability in (Capability.DEGRADED, Capability.RULES_ONLY, Capability.NONE, Capability.FULL):
        side.chain.move(pathway_status(capability=capability))
        told.append(next(watching).status)
    assert told == [SERVING, SERVING, NOT_SERVING, SERVING]
    watching.cancel()


def test_an_unknown_service_is_watched_until_it_is_known(side: GrpcSide) -> None:
    watching = watch(side, "pathway/later")
    assert next(watching).status == SERVICE_UNKNOWN
    side.chain.move(pathway_status(), pathway_status(name="later"))
    assert next(watching).status == SERVING
    side.chain.move(pathway_status())
    assert next(watching).status == SERVICE_UNKNOWN
    watching.cancel()


def test_a_drain_tells_every_watch_before_it_ends_any(side: GrpcSide) -> None:
    watching = watch(side, f"tier/{PATHWAY}/full")
    assert next(watching).status == SERVING
    assert side.listener.drain(5.0) == 0
    assert next(watching).status == NOT_SERVING
    assert list(watching) == []
