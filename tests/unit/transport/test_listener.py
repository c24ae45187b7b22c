import threading
from dataclasses import replace

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.errors import ConfigurationError
from stepdown.transport import listener as listener_module
from stepdown.transport.authorization import Authorization
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.listener import Listener, build_server
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.tls import ReloadingCredentials
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import FakeChain, by_rules
from tests.fakes.claims import FakeClaims
from tests.fakes.clinical_pathways import clinical_pathway
from tests.unit.transport.failures import Failure, failure_of, read_failure
from tests.unit.transport.grpc_side import TRUST_DOMAIN, GrpcSide, Recorded, grpc_side, material, served
from tests.unit.transport.patience import PATIENCE_S, until


def built(*, chain: FakeChain | None = None, authorization: Authorization | None = None, **options: object) -> Listener:
    """A listener that does not serve yet."""
    recorded = Recorded()
    plain = ListenerOptions(address="127.0.0.1:0", announce_s=0.0)
    return build_server(
        served(chain or FakeChain(), FakeClaims(), recorded, clinical_pathway()),
        tls=ReloadingCredentials(material, record=recorded.as_record),
        authorization=authorization or Authorization(trust_domain=TRUST_DOMAIN),
        options=replace(plain, **options),  # type: ignore[arg-type]
        limits=RequestLimits(),
    )


def test_a_port_in_use_is_a_configuration_error_that_names_it(side: GrpcSide) -> None:
    with pytest.raises(ConfigurationError) as caught:
        built(address=side.listener.address)
    assert caught.value.problems == (f"server.grpc_address: cannot listen on {side.listener.address}; is it in use?",)


def test_a_server_with_a_method_that_no_role_may_call_is_not_built() -> None:
    with pytest.raises(ConfigurationError, match="ListTiers is served but no role may call it"):
        built(authorization=Authorization(trust_domain=TRUST_DOMAIN, method_roles={}))


def test_a_server_that_fails_its_self_test_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(host: str, port: int) -> None:
        raise ConfigurationError((f"{host}:{port} accepts TLS 1.2",))

    monkeypatch.setattr(listener_module, "require_tls_1_3_only", refuse)
    chain = FakeChain()
    listener = built(chain=chain)
    with pytest.raises(ConfigurationError, match=r"accepts TLS 1\.2"):
        listener.start()
    assert chain.listeners == 0
    monkeypatch.undo()
    replacement = built(address=f"127.0.0.1:{listener.port}")
    replacement.start()
    replacement.drain(1.0)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_a_server_on_every_address_tests_itself_over_loopback(address: str) -> None:
    try:
        listener = built(address=address)
    except ConfigurationError:
        pytest.skip(f"this machine has no {address}")
    listener.start()
    listener.drain(1.0)


def test_every_service_can_be_found_by_reflection(side: GrpcSide) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(side.channel("viewer"))
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (response,) = stub.ServerReflectionInfo(iter([request]), timeout=10)  # type: ignore[operator]  # its stubs lack it
    assert {service.name for service in response.list_services_response.service} == {
        *listener_module.OWN_SERVICES,
        *listener_module.PROTOCOL_SERVICES,
    }


@pytest.mark.parametrize(("transport", "counted"), [("completion_queue", 12), ("public", 12 + 2)])
def test_a_drain_answers_everything_that_was_accepted_queued_calls_too(transport: str, counted: int) -> None:
    """Of the public server's twelve, which have a place in the queue or a thread, two are counted as answered too."""
    release, drained, kept = threading.Event(), list[int](), list[InFlight]()

    def keep_in_flight(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        del server, drain
        kept.append(in_flight)
        return ()

    def hold(request: Request) -> Outcome | None:
        if transport == "public":
            release.wait(PATIENCE_S)
        return by_rules(request) if release.is_set() else None

    with grpc_side(call_threads=2, add_services=(keep_in_flight,), transport=transport) as side:
        side.chain.answer = hold
        stub = AssessmentServiceStub(side.assessor)
        accepted = [stub.AssessRisk.future(assess_request(), timeout=30) for _ in range(12)]
        until(lambda: kept[-1].wait_until_idle(0.0) == counted)
        drain = threading.Thread(target=lambda: drained.append(side.listener.drain(PATIENCE_S)))
        drain.start()
        if transport == "completion_queue":
            until(lambda: len(side.chain.asked) == 12)
            for request in side.chain.asked:
                side.chain.release(request, by_rules(request))
        release.set()
        assert len({future.result(timeout=PATIENCE_S).assessment.request_id for future in accepted}) == 12
        drain.join(PATIENCE_S)
    assert drained == [0]


def test_a_drain_under_load_loses_no_accepted_call() -> None:
    """Each client's first failure is a refusal that sends it elsewhere, never a call that was begun and given up."""
    endings: list[Failure] = []

    def send(side: GrpcSide) -> None:
        stub = AssessmentServiceStub(side.channel())
        while True:
            try:
                stub.AssessRisk(assess_request(vitals=False), timeout=10)
            except grpc.RpcError as error:
                endings.append(read_failure(error))
                return

    with grpc_side(announce_s=0.05) as side:
        senders = [threading.Thread(target=send, args=(side,)) for _ in range(6)]
        for sender in senders:
            sender.start()
        until(lambda: len(side.claims.settled) > 50)
        left = side.listener.drain(PATIENCE_S)
        for sender in senders:
            sender.join(PATIENCE_S)
        assert left == 0
        assert len(side.claims.claimed) == len(side.claims.settled)
        assert {(each.code, each.reason) for each in endings} == {(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")}


def test_a_drain_whose_grace_is_too_short_says_how_many_calls_it_cut_off() -> None:
    release = threading.Event()

    def hold(request: Request) -> Outcome:
        release.wait(PATIENCE_S)
        return by_rules(request)

    with grpc_side() as side:
        side.chain.answer = hold
        stub = AssessmentServiceStub(side.assessor)
        cut = stub.AssessRisk.future(assess_request(), timeout=30)
        until(lambda: bool(side.chain.submitted))
        assert side.listener.drain(0.1) > 0
        assert failure_of(cut.result).code is grpc.StatusCode.UNAVAILABLE
        release.set()


def test_extra_services_are_given_what_they_need_to_drain() -> None:
    given: list[tuple[InFlight, DrainSignal]] = []

    def add(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        del server
        given.append((in_flight, drain))
        return ()

    with grpc_side(add_services=(add,)) as side:
        told: list[str] = []
        given[0][1].watch(lambda: told.append("draining"))
        given[0][0].enter()
        assert side.listener.drain(0.1) == 1
        assert told == ["draining"]
        given[0][0].leave()
