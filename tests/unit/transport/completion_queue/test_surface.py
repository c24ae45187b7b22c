from types import SimpleNamespace
from typing import get_args

import grpc
import pytest

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.transport import guarded_server
from stepdown.transport.completion_queue.surface import PINNED_GRPCIO, core_of, cygrpc, obstacle
from stepdown.transport.listener_options import Transport, TransportStatus
from tests.fakes.assess_requests import assess_request
from tests.unit.transport.grpc_side import grpc_side


def test_nothing_speaks_against_the_release_that_is_pinned() -> None:
    assert grpc.__version__ == PINNED_GRPCIO
    assert obstacle() == ""


def test_another_release_may_mean_something_else_by_the_same_names() -> None:
    assert "1.99.0" in obstacle("1.99.0")


@pytest.mark.parametrize("gone", ["auth_context", "Server"])
def test_a_part_that_is_missing_is_named(gone: str) -> None:
    parts = {name: getattr(cygrpc, name) for name in dir(cygrpc) if name != gone}
    assert gone in obstacle(PINNED_GRPCIO, SimpleNamespace(**parts))


def test_a_member_that_is_missing_is_named() -> None:
    parts = {name: getattr(cygrpc, name) for name in dir(cygrpc)} | {"Call": SimpleNamespace(cancel=0, peer=0)}
    assert "Call.start_server_batch" in obstacle(PINNED_GRPCIO, SimpleNamespace(**parts))


def test_a_server_without_a_core_is_an_error_and_no_guess() -> None:
    with pytest.raises(AttributeError):
        core_of(SimpleNamespace())  # type: ignore[arg-type]


def test_what_is_wanted_is_chosen_where_nothing_speaks_against_it() -> None:
    for wanted in get_args(Transport):
        assert guarded_server.chosen(wanted) == TransportStatus(name=wanted)


def test_a_server_that_falls_back_serves_says_so_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_server, "_HINDRANCE", "this grpcio is another")
    with grpc_side(transport="completion_queue") as side:
        assert side.listener.transport == TransportStatus(name="public", fallback_reason="this grpcio is another")
        assert AssessmentServiceStub(side.assessor).AssessRisk(assess_request(), timeout=30).assessment.request_id
    told = ("transport_fell_back", {"to": "public", "reason": "this grpcio is another"})
    assert told in side.recorded.events
