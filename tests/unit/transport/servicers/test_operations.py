import grpc
import pytest

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1 import tiers_pb2
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.domain.tiers import Capability, TierState
from tests.fakes.chain import FakeChain
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side
from tests.unit.transport.patience import until

OPERATOR = "spiffe://stepdown.demo/operator/test"


def stub(side: GrpcSide) -> OperationsServiceStub:
    return OperationsServiceStub(side.operator)


def disable(side: GrpcSide, **changes: str) -> wire.TierReport:
    fields = {"pathway": PATHWAY, "tier": "full", "detail": "replacing the card"} | changes
    return stub(side).DisableTier(wire.DisableTierRequest(**fields), timeout=5).tier


def test_tiers_are_listed_with_all_that_is_known_and_nothing_that_is_not() -> None:
    tiers = (suspended_tier(name="full"), tier_status(name="distilled"))
    chain = FakeChain(pathway_status(*tiers, capability=Capability.DEGRADED), pathway_status(name="another"))
    with grpc_side(chain=chain) as side:
        another, report = stub(side).ListTiers(wire.ListTiersRequest(), timeout=5).pathways
    assert (another.name, report.name, report.capability) == ("another", PATHWAY, tiers_pb2.CAPABILITY_DEGRADED)
    full, distilled = report.tiers
    assert (full.state, full.reason) == (tiers_pb2.TIER_STATE_SUSPENDED, tiers_pb2.REASON_WORKER_LOST)
    unknown = ("worker_pid", "execution_provider", "placement_share", "bundle", "latency_p50", "probe_age")
    assert [name for name in unknown if full.HasField(name)] == []
    assert not distilled.HasField("reason")
    assert (distilled.worker_pid, distilled.execution_provider) == (4711, tiers_pb2.EXECUTION_PROVIDER_CPU)
    assert distilled.latency_p99.ToMicroseconds() == 4250
    assert distilled.probe_age.ToMilliseconds() == 750
    assert (distilled.bundle.name, list(distilled.bundle.signers)) == ("sepsis-full", ["demo-signer"])


def test_one_pathway_may_be_asked_for(side: GrpcSide) -> None:
    side.chain.move(pathway_status(), pathway_status(name="another"))
    reports = stub(side).ListTiers(wire.ListTiersRequest(pathway=PATHWAY), timeout=5).pathways
    assert [report.name for report in reports] == [PATHWAY]


@pytest.mark.parametrize("call", ["ListTiers", "WatchTiers"])
def test_a_pathway_that_is_not_there_is_not_found(side: GrpcSide, call: str) -> None:
    request = {"ListTiers": wire.ListTiersRequest, "WatchTiers": wire.WatchTiersRequest}[call](pathway="unheard-of")
    method = getattr(stub(side), call)
    failed = failure_of(lambda: method(request, timeout=5) if call == "ListTiers" else next(method(request)))
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN")


def test_a_watch_tells_the_present_and_each_change(side: GrpcSide) -> None:
    watch = stub(side).WatchTiers(wire.WatchTiersRequest())
    assert next(watch).pathways[0].tiers[0].state == tiers_pb2.TIER_STATE_SERVING
    for state in (TierState.SUSPENDED, TierState.STARTING, TierState.PROBATION):
        side.chain.move(pathway_status(tier_status(state=state)))
        assert tiers_pb2.TierState.Name(next(watch).pathways[0].tiers[0].state) == f"TIER_STATE_{state.name}"
    watch.cancel()


def test_a_watch_ends_with_its_caller_and_leaves_nothing_behind(side: GrpcSide) -> None:
    before = side.chain.listeners
    watch = stub(side).WatchTiers(wire.WatchTiersRequest())
    next(watch)
    assert side.chain.listeners == before + 1
    watch.cancel()
    until(lambda: side.chain.listeners == before)
    side.listener.drain(5.0)
    assert side.chain.listeners == 0


def test_a_watch_ends_when_the_server_stops(side: GrpcSide) -> None:
    watch = stub(side).WatchTiers(wire.WatchTiersRequest())
    next(watch)
    assert side.listener.drain(5.0) == 0
    assert list(watch) == []


def test_a_tier_is_taken_out_and_given_back_and_both_go_on_record(side: GrpcSide) -> None:
    assert disable(side).state == tiers_pb2.TIER_STATE_DISABLED
    assert side.chain.operator_details == [f"{OPERATOR}: replacing the card"]
    enabled = stub(side).EnableTier(wire.EnableTierRequest(pathway=PATHWAY, tier="full"), timeout=5)
    assert enabled.tier.state == tiers_pb2.TIER_STATE_STARTING
    assert side.recorded.events == [
        (
            "tier_disabled",
            {"pathway": PATHWAY, "tier": "full", "caller": OPERATOR, "detail": "replacing the card"},
        ),
        ("tier_enabled", {"pathway": PATHWAY, "tier": "full", "caller": OPERATOR}),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"pathway": "unheard-of"}, grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
        ({"pathway": ""}, grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
        ({"tier": "unheard-of"}, grpc.StatusCode.NOT_FOUND, "TIER_UNKNOWN"),
        ({"tier": ""}, grpc.StatusCode.NOT_FOUND, "TIER_UNKNOWN"),
        ({"detail": ""}, grpc.StatusCode.INVALID_ARGUMENT, "DETAIL_REQUIRED"),
        ({"detail": "  "}, grpc.StatusCode.INVALID_ARGUMENT, "DETAIL_REQUIRED"),
        ({"detail": "x" * 257}, grpc.StatusCode.INVALID_ARGUMENT, "DETAIL_REQUIRED"),
        ({"detail": "two\nlines"}, grpc.StatusCode.INVALID_ARGUMENT, "DETAIL_REQUIRED"),
    ],
)
def test_a_tier_is_not_taken_out_by_mistake_or_without_a_reason(
    side: GrpcSide, changes: dict[str, str], code: grpc.StatusCode, reason: str
) -> None:
    failed = failure_of(lambda: disable(side, **changes))
    assert (failed.code, failed.reason) == (code, reason)
    assert side.chain.operator_details == []


def test_an_assessor_changes_nothing(side: GrpcSide) -> None:
    request = wire.EnableTierRequest(pathway=PATHWAY, tier="full")
    failed = failure_of(lambda: OperationsServiceStub(side.assessor).EnableTier(request, timeout=5))
    assert failed.code is grpc.StatusCode.PERMISSION_DENIED
