"""`ActivateBundle` and `RollbackBundle`: what is asked for arrives, and what is refused says why."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.domain.activations import ActivationRefusedError, ActivationState, ActivationStatus, ActivationWish
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.reasons import Reason, RejectReason
from tests.fakes.activations import FakeActivations
from tests.fakes.statuses import PATHWAY, pathway_status, tier_status
from tests.unit.transport.failures import Failure, failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

NEW = BundleIdentity(name="sepsis-full", version="1.1.0", sha256="cd" * 32, signers=("demo-signer",))
ROLLED_BACK = ActivationStatus(
    bundle=NEW,
    replaces=tier_status().bundle,
    state=ActivationState.ROLLED_BACK,
    canary_share=0.1,
    observation_s=600.0,
    start_time_s=1_700_000_000.0,
    since_time_s=1_700_000_100.0,
    answers=7,
    worker_pid=4712,
    reason=Reason.OUTPUT_INVALID,
    detail="not finite",
)


@pytest.fixture
def activations() -> FakeActivations:
    return FakeActivations()


@pytest.fixture
def side(activations: FakeActivations) -> Iterator[GrpcSide]:
    with grpc_side(activations=activations) as side:
        yield side


def activate(side: GrpcSide, **changes: object) -> wire.ActivateBundleResponse:
    fields = {"pathway": PATHWAY, "tier": "full", "version": "1.1.0", "detail": "release"} | changes
    request = wire.ActivateBundleRequest(**fields)  # type: ignore[arg-type]
    return OperationsServiceStub(side.operator).ActivateBundle(request, timeout=5)


def roll_back(side: GrpcSide, **changes: str) -> wire.RollbackBundleResponse:
    fields = {"pathway": PATHWAY, "tier": "full", "detail": "doubt"} | changes
    return OperationsServiceStub(side.operator).RollbackBundle(wire.RollbackBundleRequest(**fields), timeout=5)


def refusal(side: GrpcSide, **changes: object) -> Failure:
    return failure_of(lambda: activate(side, **changes))


def test_what_an_operator_leaves_out_is_left_to_the_server(side: GrpcSide, activations: FakeActivations) -> None:
    activate(side)
    assert activations.wishes == [ActivationWish(pathway=PATHWAY, tier="full", version="1.1.0")]


def test_what_an_operator_says_arrives(side: GrpcSide, activations: FakeActivations) -> None:
    activate(side, canary_share=0.0, observation=Duration(seconds=90), sha256="ab" * 32)
    (wish,) = activations.wishes
    assert (wish.canary_share, wish.observation_s, wish.sha256) == (0.0, 90.0, "ab" * 32)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "newest"),
        ("sha256", "AB" * 32),
        ("canary_share", 1.5),
        ("canary_share", float("nan")),
        ("observation", Duration(seconds=-(1 << 62))),
        ("observation", Duration(seconds=100_000)),
    ],
    ids=["version", "sha256", "share beyond all", "no share", "back in time", "too long"],
)
def test_a_wish_that_cannot_be_meant_is_refused(side: GrpcSide, field: str, value: object) -> None:
    failed = refusal(side, **{field: value})
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ACTIVATION_MALFORMED")


@pytest.mark.parametrize(
    ("change", "reason"), [({"tier": "third"}, "TIER_UNKNOWN"), ({"detail": " "}, "DETAIL_REQUIRED")]
)
def test_a_wish_without_a_place_or_a_why_is_refused(side: GrpcSide, change: dict[str, str], reason: str) -> None:
    assert refusal(side, **change).reason == reason
    assert failure_of(lambda: roll_back(side, **change)).reason == reason


@pytest.mark.parametrize("reason", [RejectReason.ACTIVATION_UNDER_WAY, RejectReason.BUNDLE_REFUSED])
def test_what_cannot_be_done_is_a_failed_precondition_and_on_record(
    side: GrpcSide, activations: FakeActivations, reason: RejectReason
) -> None:
    activations.refusal = ActivationRefusedError(reason, "FILE_CHANGED: model.onnx")
    for act in (lambda: activate(side), lambda: roll_back(side)):
        failed = failure_of(act)
        assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, reason.value)
        assert "FILE_CHANGED" in failed.text
    told = [fields for name, fields in side.recorded.events if name == "activation_refused"]
    assert [fields["obstacle"] for fields in told] == ["FILE_CHANGED: model.onnx"] * 2


def test_a_rollback_names_who_wants_it(side: GrpcSide, activations: FakeActivations) -> None:
    roll_back(side)
    assert activations.rolled_back == [(PATHWAY, "full", "spiffe://stepdown.demo/operator/test: doubt")]


def test_a_report_tells_how_an_activation_ended_and_what_a_rollback_would_bring_back(side: GrpcSide) -> None:
    side.chain.move(pathway_status(tier_status(activation=ROLLED_BACK, previous=NEW)))
    told = roll_back(side).tier
    assert told.previous_bundle.version == "1.1.0"
    assert told.activation.state == wire.ACTIVATION_STATE_ROLLED_BACK
    assert (told.activation.bundle.sha256, told.activation.replaced_bundle.version) == (NEW.sha256, "1.0.0")
    assert (told.activation.answers, told.activation.worker_pid, told.activation.detail) == (7, 4712, "not finite")
