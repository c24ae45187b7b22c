"""What stands before every method, over a foreign service that does all that a careless one might."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import StringValue

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.notices import RequestRefused
from stepdown.domain.reasons import RejectReason
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.transport.authorization import Authorization, Role
from stepdown.transport.calls import current_call
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import by_rules, never
from tests.unit.transport import grpc_side as sides
from tests.unit.transport.failures import Failure, failure_of
from tests.unit.transport.grpc_side import GrpcSide, grpc_side
from tests.unit.transport.patience import until

SERVICE = "stepdown.test.Careless"
PRIVATE = "patient Smith, heart rate 75"


def raise_unforeseen(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    raise ValueError(f"{PRIVATE} {request.value} {context.peer()}")


def raise_rejection(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    del request, context
    raise RequestRejectedError(reason=RejectReason.TENSOR_INVALID, violations=())


def abort(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    del request
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this server")


def name_caller(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    del request, context
    return StringValue(value=current_call().caller.name)


def count(requests: Iterator[StringValue], context: grpc.ServicerContext) -> StringValue:
    del context
    return StringValue(value=str(sum(1 for _ in requests)))


def raise_midway(request: StringValue, context: grpc.ServicerContext) -> Iterator[StringValue]:
    del context
    yield request
    raise ValueError(PRIVATE)


def echo(requests: Iterator[StringValue], context: grpc.ServicerContext) -> Iterator[StringValue]:
    del context
    yield from requests


def add_careless(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
    """Served, but named to nobody: it has no descriptor."""
    del in_flight, drain
    coding: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    handlers = {
        "Unforeseen": grpc.unary_unary_rpc_method_handler(raise_unforeseen, **coding),
        "Rejection": grpc.unary_unary_rpc_method_handler(raise_rejection, **coding),
        "Abort": grpc.unary_unary_rpc_method_handler(abort, **coding),
        "Caller": grpc.unary_unary_rpc_method_handler(name_caller, **coding),
        "Count": grpc.stream_unary_rpc_method_handler(count, **coding),
        "Midway": grpc.unary_stream_rpc_method_handler(raise_midway, **coding),
        "Echo": grpc.stream_stream_rpc_method_handler(echo, **coding),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    return ()


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrpcSide]:
    """A server of the careless service, every method of which assessors may call."""
    methods = ("Unforeseen", "Rejection", "Abort", "Caller", "Count", "Midway", "Echo")
    extra = {f"/{SERVICE}/{method}": frozenset({Role.ASSESSOR}) for method in methods}

    def permissive(*, trust_domain: str) -> Authorization:
        plain = Authorization(trust_domain=trust_domain)
        return Authorization(trust_domain=trust_domain, method_roles={**plain.method_roles, **extra})

    monkeypatch.setattr(sides, "Authorization", permissive)
    with grpc_side(add_services=(add_careless,)) as side:
        yield side


def call(side: GrpcSide, method: str, request: bytes = b"") -> bytes:
    """A unary call of bytes."""
    path = method if method.startswith("/") else f"/{SERVICE}/{method}"
    unary: Callable[..., bytes] = side.assessor.unary_unary(path)
    return unary(request, timeout=10)


def test_an_unforeseen_exception_leaves_nothing_but_its_incident_id(careless: GrpcSide) -> None:
    failed = failure_of(lambda: call(careless, "Unforeseen"))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_FAULT")
    assert failed.metadata == {"incident_id": "incident-1"}
    assert PRIVATE not in repr(failed)
    assert [type(error) for error in careless.recorded.incidents] == [ValueError]


def test_an_unforeseen_exception_in_the_middle_of_a_stream_leaves_no_more(careless: GrpcSide) -> None:
    stream: Callable[..., Iterator[bytes]] = careless.assessor.unary_stream(f"/{SERVICE}/Midway")
    received: list[bytes] = []
    failed = failure_of(lambda: received.extend(stream(StringValue(value="x").SerializeToString(), timeout=10)))
    assert received == [StringValue(value="x").SerializeToString()]
    assert failed.reason == "INTERNAL_FAULT"
    assert PRIVATE not in repr(failed)


def test_a_rejection_becomes_its_status_and_is_noticed(careless: GrpcSide) -> None:
    failed = failure_of(lambda: call(careless, "Rejection"))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "TENSOR_INVALID")
    assert careless.recorded.notices == [RequestRefused(pathway="", reason=RejectReason.TENSOR_INVALID)]


def test_a_status_that_a_servicer_chose_itself_is_passed_on(careless: GrpcSide) -> None:
    failed = failure_of(lambda: call(careless, "Abort"))
    assert (failed.code, failed.text) == (grpc.StatusCode.UNIMPLEMENTED, "not in this server")
    assert careless.recorded.incidents == []


def test_a_method_knows_who_calls(careless: GrpcSide) -> None:
    answered = StringValue.FromString(call(careless, "Caller"))
    assert answered.value == "spiffe://stepdown.demo/assessor/test"


def test_calls_of_every_shape_pass(careless: GrpcSide) -> None:
    message = StringValue(value="x").SerializeToString()
    count: Callable[..., bytes] = careless.assessor.stream_unary(f"/{SERVICE}/Count")
    assert StringValue.FromString(count(iter([message] * 3), timeout=10)).value == "3"
    echo: Callable[..., Iterator[bytes]] = careless.assessor.stream_stream(f"/{SERVICE}/Echo")
    assert list(echo(iter([message] * 3), timeout=10)) == [message] * 3


@pytest.mark.parametrize(
    "request_", [b"\xff", b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\x0b" * 200], ids=["tag", "length", "text", "depth"]
)
def test_what_is_no_message_is_refused_and_never_reaches_the_method(careless: GrpcSide, request_: bytes) -> None:
    """Row 26, deep nesting among it."""
    failed = failure_of(lambda: call(careless, "Unforeseen", request_))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_MALFORMED")
    assert careless.recorded.incidents == []


def test_a_request_that_is_too_large_is_refused_with_the_limit_before_it_is_parsed() -> None:
    """Row 26: bytes that are no message at all, so parsing them would give another reason."""
    with grpc_side(request_bytes=1000) as side:
        path = "/stepdown.api.v1.AssessmentService/AssessRisk"
        failed = failure_of(lambda: call(side, path, b"\xff" * 1001))
        assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
        assert failed.metadata == {"maximum_request_bytes": "1000"}
        assert failure_of(lambda: call(side, path, b"\xff" * 1000)).reason == "MESSAGE_MALFORMED"


def test_a_batch_may_be_larger_than_a_single_request() -> None:
    with grpc_side(request_bytes=1000) as side:
        batch = wire.BatchAssessRiskRequest(requests=[assess_request() for _ in range(10)])
        assert batch.ByteSize() > 1000
        assert len(AssessmentServiceStub(side.assessor).BatchAssessRisk(batch, timeout=10).results) == 10


def test_a_message_beyond_every_limit_is_refused_by_grpc_before_it_is_read() -> None:
    """Row 26: fifty megabytes."""
    with grpc_side() as side:
        path = "/stepdown.api.v1.AssessmentService/BatchAssessRisk"
        failed = failure_of(lambda: call(side, path, b"\0" * 50_000_000))
        assert failed.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert call(side, path, b"") == b""


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ("spiffe://stepdown.demo/viewer/x", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://stepdown.demo/operator/x", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://stepdown.demo/janitor/x", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://another.example/assessor/x", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_a_caller_that_may_not_is_told_nothing_and_is_put_on_record(
    side: GrpcSide, identity: str, code: grpc.StatusCode
) -> None:
    """Row 30."""
    stub = AssessmentServiceStub(side.channel(identity=identity))
    failed = failure_of(lambda: stub.AssessRisk(assess_request(), timeout=10))
    assert failed == Failure(code=code, text=code.name, reason=code.name, trailing=failed.trailing)
    caller = identity if code is grpc.StatusCode.PERMISSION_DENIED else ""
    method = "/stepdown.api.v1.AssessmentService/AssessRisk"
    assert side.recorded.events == [("call_denied", {"method": method, "code": code.name, "caller": caller})]
    assert side.chain.submitted == []


def test_a_caller_that_may_not_is_refused_before_its_bytes_are_parsed(side: GrpcSide) -> None:
    unary: Callable[..., bytes] = side.channel("viewer").unary_unary("/stepdown.api.v1.AssessmentService/AssessRisk")
    assert failure_of(lambda: unary(b"\xff", timeout=10)).code is grpc.StatusCode.PERMISSION_DENIED


def test_a_method_that_is_not_there_is_unimplemented(side: GrpcSide) -> None:
    failed = failure_of(lambda: call(side, "/stepdown.api.v1.AssessmentService/ForgetOutcome"))
    assert failed.code is grpc.StatusCode.UNIMPLEMENTED


def test_every_failure_carries_the_trace(side: GrpcSide) -> None:
    failed = failure_of(lambda: call(side, "/stepdown.api.v1.OperationsService/EnableTier"))
    assert failed.code is grpc.StatusCode.PERMISSION_DENIED
    assert failed.trailing["traceresponse"].startswith("00-")


@pytest.mark.parametrize("method", ["AssessRisk", "BatchAssessRisk", "StreamAssessRisk"])
def test_a_call_that_arrives_in_a_drain_is_sent_elsewhere_whatever_its_shape(method: str) -> None:
    given: list[DrainSignal] = []

    def keep(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        del server, in_flight
        given.append(drain)
        return ()

    with grpc_side(add_services=(keep,)) as side:
        given[0].set()
        path = f"/stepdown.api.v1.AssessmentService/{method}"
        if method == "StreamAssessRisk":
            stream: Callable[..., Iterator[bytes]] = side.assessor.stream_stream(path)
            failed = failure_of(lambda: next(stream(iter([b""]), timeout=10)))
        else:
            failed = failure_of(lambda: call(side, path))
        assert (failed.code, failed.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert failed.retry_after_s == 1.0
        assert failed.trailing["traceresponse"]
        # Whoever may not call learns no more in a drain than before it, and health is told to the end.
        viewer: Callable[..., bytes] = side.channel("viewer").unary_unary(path)
        assert failure_of(lambda: viewer(b"", timeout=10)).code is grpc.StatusCode.PERMISSION_DENIED
        assert call(side, "/grpc.health.v1.Health/Check")


def test_many_calls_at_once_are_all_answered(side: GrpcSide) -> None:
    stub = AssessmentServiceStub(side.assessor)
    futures = [stub.AssessRisk.future(assess_request(vitals=False), timeout=30) for _ in range(300)]
    assert len({future.result().assessment.request_id for future in futures}) == 300


@pytest.mark.parametrize("transport", ["completion_queue", "public"])
def test_calls_beyond_what_may_wait_are_turned_away_at_once_and_those_within_are_answered(transport: str) -> None:
    with grpc_side(concurrent_calls=4, shedding=LoadShedding(maximum_wait_s=60.0), transport=transport) as side:
        side.chain.answer = never
        stub = AssessmentServiceStub(side.assessor)
        waiting = [stub.AssessRisk.future(assess_request(), timeout=30) for _ in range(4)]
        until(lambda: len(side.chain.asked) == 4)
        failed = failure_of(lambda: stub.AssessRisk(assess_request(), timeout=30))
        for request in side.chain.asked:
            side.chain.release(request, by_rules(request))
        assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert (failed.retry_after_s, failed.trailing["grpc-retry-pushback-ms"]) == (1.0, "1000")
        assert {future.result().assessment.answered_by.tier for future in waiting} == {"rules"}


def test_a_structure_of_another_type_is_read_as_unknown_fields_and_refused_by_intake(side: GrpcSide) -> None:
    request = Struct(fields={}).SerializeToString()
    failed = failure_of(lambda: call(side, "/stepdown.api.v1.AssessmentService/AssessRisk", request))
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN")
