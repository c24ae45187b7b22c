import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.client import AddressError, AssessmentClient, AssessmentError, Credentials
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.domain.status import PathwayStatus
from stepdown.domain.tiers import Capability
from stepdown.transport.servicers.assessment import MAXIMUM_BATCH
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import FakeChain
from tests.fakes.claims import FakeClaims
from tests.fakes.clinical_pathways import by_model
from tests.fakes.statuses import pathway_status
from tests.unit.client.servers import credentials
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

FAILOVER_S = 1.0
RATE = FieldViolation(field="encounter_token", reason=RejectReason.ENCOUNTER_RATE_LIMITED, description="wait a little")


@pytest.fixture
def side() -> Iterator[GrpcSide]:
    with grpc_side() as serving:
        yield serving


@pytest.fixture
def client(side: GrpcSide, tmp_path: Path) -> Iterator[AssessmentClient]:
    with AssessmentClient(side.listener.address, credentials(tmp_path)) as connected:
        yield connected


def refused_address() -> str:
    """A loopback address that nobody listens on."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{closed.getsockname()[1]}"


def incapable() -> PathwayStatus:
    return pathway_status(capability=Capability.NONE)


def test_an_encounter_is_assessed(side: GrpcSide, client: AssessmentClient) -> None:
    side.chain.answer = lambda _request: by_model(0.25)
    request = assess_request()
    answer = client.assess(request, timeout_s=5.0)
    assert answer.request_id == request.request_id
    assert (answer.answered_by.tier, answer.risk.probability) == ("full", 0.25)


def test_the_timeout_is_the_deadline_that_the_server_plans_by(side: GrpcSide, client: AssessmentClient) -> None:
    client.assess(assess_request(), timeout_s=30.0)
    ((asked,),) = side.chain.submitted
    assert 20.0 < asked.deadline_s - side.chain.now_s() <= 30.0


def test_a_refusal_says_what_to_mend(client: AssessmentClient) -> None:
    with pytest.raises(AssessmentError) as refused:
        client.assess(assess_request(subject_token="", encounter_token=""), timeout_s=5.0)
    error = refused.value
    assert (error.code, error.reason, error.retry_after_s) == ("INVALID_ARGUMENT", "ID_REQUIRED", None)
    assert error.violations == (("subject_token", "required"), ("encounter_token", "required"))
    assert str(error).startswith("INVALID_ARGUMENT ID_REQUIRED: ")


def test_a_refusal_says_when_to_try_again(tmp_path: Path) -> None:
    refusal = RequestRejectedError(reason=RATE.reason, violations=(RATE,), retry_after_s=1.5)
    with (
        grpc_side(claims=FakeClaims(rate_refusal=refusal)) as side,
        AssessmentClient(side.listener.address, credentials(tmp_path)) as client,
        pytest.raises(AssessmentError) as refused,
    ):
        client.assess(assess_request(), timeout_s=5.0)
    error = refused.value
    assert (error.code, error.reason, error.retry_after_s) == ("RESOURCE_EXHAUSTED", "ENCOUNTER_RATE_LIMITED", 1.5)


def test_each_encounter_of_a_batch_has_an_answer_or_a_failure_of_its_own(client: AssessmentClient) -> None:
    well, nobody = assess_request(), assess_request(subject_token="")
    answered, failed = client.assess_batch([well, nobody], timeout_s=5.0)
    assert isinstance(answered, Assessment)
    assert answered.request_id == well.request_id
    assert isinstance(failed, AssessmentError)
    assert (failed.code, failed.reason, failed.violations) == (
        "INVALID_ARGUMENT",
        "ID_REQUIRED",
        (("subject_token", "required"),),
    )


def test_a_batch_that_is_refused_as_a_whole_raises(client: AssessmentClient) -> None:
    with pytest.raises(AssessmentError) as refused:
        client.assess_batch([assess_request(vitals=False)] * (MAXIMUM_BATCH + 1), timeout_s=5.0)
    assert (refused.value.code, refused.value.reason) == ("RESOURCE_EXHAUSTED", "TOO_LARGE")


def test_a_stream_gives_each_answer_with_the_id_of_its_request(client: AssessmentClient) -> None:
    requests = [assess_request(), assess_request(subject_token=""), assess_request()]
    settled = dict(client.assess_stream(requests))
    assert settled.keys() == {request.request_id for request in requests}
    failed = settled[requests[1].request_id]
    assert isinstance(failed, AssessmentError)
    assert failed.reason == "ID_REQUIRED"
    assert all(isinstance(settled[request.request_id], Assessment) for request in requests[::2])


def test_a_stream_that_breaks_raises(tmp_path: Path) -> None:
    with AssessmentClient(refused_address(), credentials(tmp_path)) as client, pytest.raises(AssessmentError) as broken:
        list(client.assess_stream([assess_request()]))
    assert broken.value.code == "UNAVAILABLE"


def test_a_caller_without_the_role_is_denied_without_a_word(side: GrpcSide, tmp_path: Path) -> None:
    denied = credentials(tmp_path, role="viewer")
    with AssessmentClient(side.listener.address, denied) as client, pytest.raises(AssessmentError) as refused:
        client.assess(assess_request(), timeout_s=5.0)
    assert str(refused.value) == "PERMISSION_DENIED PERMISSION_DENIED: PERMISSION_DENIED"


def test_without_any_server_there_is_an_error_that_names_no_reason(tmp_path: Path) -> None:
    with AssessmentClient(refused_address(), credentials(tmp_path)) as client, pytest.raises(AssessmentError) as failed:
        client.assess(assess_request(), timeout_s=5.0)
    assert (failed.value.code, failed.value.reason) == ("UNAVAILABLE", "")
    assert str(failed.value).startswith("UNAVAILABLE: ")


def test_a_dead_address_beside_a_living_one_is_not_noticed(side: GrpcSide, tmp_path: Path) -> None:
    addresses = (refused_address(), side.listener.address)
    begun_s = time.monotonic()
    with AssessmentClient(addresses, credentials(tmp_path)) as client:
        answers = [client.assess(assess_request(), timeout_s=5.0) for _ in range(5)]
    assert len(answers) == 5
    assert time.monotonic() - begun_s < FAILOVER_S


def test_when_a_server_ends_the_other_answers_every_call(tmp_path: Path) -> None:
    with grpc_side() as stays, grpc_side() as ends:
        addresses = f"{stays.listener.address}, {ends.listener.address}"
        with AssessmentClient(addresses, credentials(tmp_path)) as client:
            for _ in range(50):
                client.assess(assess_request(), timeout_s=5.0)
            assert ends.chain.submitted
            ends.listener.drain(1.0)
            begun_s = time.monotonic()
            for _ in range(20):
                client.assess(assess_request(), timeout_s=5.0)
            assert time.monotonic() - begun_s < FAILOVER_S


def test_calls_go_where_health_says_that_somebody_answers(tmp_path: Path) -> None:
    with grpc_side() as able, grpc_side(chain=FakeChain(incapable())) as unable:
        with AssessmentClient((able.listener.address, unable.listener.address), credentials(tmp_path)) as client:
            for _ in range(20):
                client.assess(assess_request(), timeout_s=5.0)
        assert len(able.chain.submitted) == 20
        assert unable.chain.submitted == []


@pytest.mark.parametrize("spelling", ["{address}", " {address} ", "localhost:{port}"])
def test_a_server_is_named_by_address_or_by_name(side: GrpcSide, tmp_path: Path, spelling: str) -> None:
    named = spelling.format(address=side.listener.address, port=side.listener.port)
    with AssessmentClient(named, credentials(tmp_path)) as client:
        assert client.assess(assess_request(), timeout_s=5.0).request_id


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_a_server_is_named_by_an_ipv6_address(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    by_name = replace(credentials(tmp_path), server_name="localhost")
    with grpc_side(address="[::1]:0") as side, AssessmentClient(side.listener.address, by_name) as client:
        assert client.assess(assess_request(), timeout_s=5.0).request_id


def test_servers_on_several_hosts_are_held_to_a_name_that_they_share(side: GrpcSide, tmp_path: Path) -> None:
    addresses = f"127.0.0.2:{side.listener.port},{side.listener.address}"
    with pytest.raises(AddressError, match="server_name"):
        AssessmentClient(addresses, credentials(tmp_path))
    shared = replace(credentials(tmp_path), server_name="localhost")
    with AssessmentClient(addresses, shared) as client:
        assert client.assess(assess_request(), timeout_s=5.0).request_id


@pytest.mark.parametrize("name", ["another.example", "127.0.0.2"])
def test_a_server_whose_certificate_does_not_hold_the_name_is_not_talked_to(
    side: GrpcSide, tmp_path: Path, name: str
) -> None:
    strict = replace(credentials(tmp_path), server_name=name)
    with (
        AssessmentClient(side.listener.address, strict) as client,
        pytest.raises(AssessmentError, match="Hostname Verification") as refused,
    ):
        client.assess(assess_request(), timeout_s=5.0)
    assert refused.value.code == "UNAVAILABLE"
    assert side.chain.submitted == []


def test_a_proxy_of_the_environment_has_no_part_in_it(
    side: GrpcSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{refused_address()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with AssessmentClient(side.listener.address, credentials(tmp_path)) as client:
        assert client.assess(assess_request(), timeout_s=5.0).request_id


@pytest.mark.parametrize(
    "addresses",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:",
        ":8443",
        "127.0.0.1:https",
        "[127.0.0.1]:8443",
        "::1:8443",
        "[stepdown]:8443",
        "127.0.0.1:8443,",
        "127.0.0.1:8443,[::1]:8443",
        "one.hospital.example:8443,two.hospital.example:8443",
        (),
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_called(
    tmp_path: Path, addresses: str | tuple[str, ...]
) -> None:
    with pytest.raises(AddressError, match="address"):
        AssessmentClient(addresses, credentials(tmp_path))


def test_credentials_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = credentials(tmp_path)
    for name, path in (("CA", files.ca), ("CERT", files.certificate), ("KEY", files.key)):
        monkeypatch.setenv(f"STEPDOWN_{name}", str(path))
    assert Credentials.from_environment() == files
    monkeypatch.setenv("STEPDOWN_SERVER_NAME", "stepdown.hospital.example")
    assert Credentials.from_environment() == replace(files, server_name="stepdown.hospital.example")


@pytest.mark.parametrize("missing", ["STEPDOWN_CA", "STEPDOWN_CERT", "STEPDOWN_KEY"])
def test_a_credential_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in ("STEPDOWN_CA", "STEPDOWN_CERT", "STEPDOWN_KEY"):
        monkeypatch.setenv(name, "file.pem")
    monkeypatch.delenv(missing)
    with pytest.raises(KeyError, match=missing):
        Credentials.from_environment()


def test_a_credential_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    gone = Credentials(ca=tmp_path / "ca.pem", certificate=tmp_path / "client.pem", key=tmp_path / "client.key.pem")
    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        AssessmentClient("127.0.0.1:8443", gone)
