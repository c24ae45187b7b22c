"""What is sent again, to whom, when, and what never is; over servers that follow a script."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from stepdown.client import AssessmentClient, AssessmentError, AssessRiskRequest
from stepdown.client.outcomes import feedback_report
from stepdown.domain.reasons import RejectReason
from stepdown.transport.refusals import refused
from stepdown.transport.status import rejection_status
from tests.fakes.assess_requests import assess_request
from tests.unit.client.scripted_server import Refusal, Scripted, scripted
from tests.unit.client.servers import credentials

GONE = Refusal(code=grpc.StatusCode.UNAVAILABLE)
FULL = Refusal(code=grpc.StatusCode.RESOURCE_EXHAUSTED, trailing=(("grpc-retry-pushback-ms", "400"),))
NEVER = Refusal(code=grpc.StatusCode.UNAVAILABLE, trailing=(("grpc-retry-pushback-ms", "-1"),))
UNREADABLE = Refusal(code=grpc.StatusCode.UNAVAILABLE, trailing=(("grpc-retry-pushback-ms", "soon"),))
WRONG = Refusal(code=grpc.StatusCode.INVALID_ARGUMENT)
CUT = Refusal(code=grpc.StatusCode.CANCELLED)


def client_of(servers: Sequence[Scripted], folder: Path) -> AssessmentClient:
    return AssessmentClient([server.address for server in servers], credentials(folder))


def asked(servers: Sequence[Scripted]) -> int:
    """How often any of them was asked."""
    return sum(len(server.asked) for server in servers)


@pytest.mark.parametrize("refusal", [GONE, FULL, CUT], ids=["gone", "full", "cut"])
def test_what_one_server_cannot_answer_another_does_at_once(tmp_path: Path, refusal: Refusal) -> None:
    with scripted([refusal] * 9, []) as servers, client_of(servers, tmp_path) as client:
        for _ in range(4):
            began_s = time.monotonic()
            request = assess_request()
            assert client.assess(request, timeout_s=10.0).request_id == request.request_id
            assert time.monotonic() - began_s < 5.0
        assert len(servers[1].asked) == 4


def test_a_server_that_pushes_back_is_left_alone_for_as_long_as_it_said(tmp_path: Path) -> None:
    with scripted([FULL], [FULL]) as servers, client_of(servers, tmp_path) as client:
        began_s = time.monotonic()
        client.assess(assess_request(), timeout_s=10.0)
        assert time.monotonic() - began_s >= 0.4
        assert asked(servers) == 3


def test_a_push_back_beyond_the_callers_time_is_told_at_once(tmp_path: Path) -> None:
    patient = Refusal(code=grpc.StatusCode.RESOURCE_EXHAUSTED, trailing=(("grpc-retry-pushback-ms", "60000"),))
    with scripted([patient], [patient]) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError) as refused:
            client.assess(assess_request(), timeout_s=20.0)
        assert (refused.value.code, refused.value.retry_after_s) == ("RESOURCE_EXHAUSTED", 60.0)
        assert asked(servers) == 2


@pytest.mark.parametrize("refusal", [NEVER, UNREADABLE, WRONG], ids=["never again", "unreadable", "wrong"])
def test_what_may_not_or_could_not_end_differently_is_sent_once(tmp_path: Path, refusal: Refusal) -> None:
    with scripted([refusal], [refusal]) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError):
            client.assess(assess_request(), timeout_s=10.0)
        assert asked(servers) == 1


def test_a_request_without_an_id_is_sent_once_whatever_becomes_of_it(tmp_path: Path) -> None:
    """Nothing would tell the server that it had it before."""
    with scripted([GONE], [GONE]) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError):
            client.assess(assess_request(request_id=""), timeout_s=10.0)
        assert asked(servers) == 1
        with pytest.raises(AssessmentError):
            client.assess_batch([assess_request(), assess_request(request_id="")], timeout_s=10.0)
        assert asked(servers) == 2


def test_a_batch_goes_to_another_server_as_a_whole(tmp_path: Path) -> None:
    with scripted([GONE], [GONE]) as servers, client_of(servers, tmp_path) as client:
        answers = client.assess_batch([assess_request(), assess_request()], timeout_s=10.0)
        assert len(answers) == 2
        assert asked(servers) == 3
        assert {ids for server in servers for ids in server.asked} == {servers[0].asked[0]}


def test_servers_that_all_fail_are_asked_a_few_times_and_no_more(tmp_path: Path) -> None:
    with scripted([GONE] * 99, [GONE] * 99) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError) as failed:
            client.assess(assess_request(), timeout_s=20.0)
        assert failed.value.code == "UNAVAILABLE"
        assert asked(servers) == 8


def test_the_callers_time_holds_for_all_attempts_together(tmp_path: Path) -> None:
    with scripted([FULL] * 99) as servers, client_of(servers, tmp_path) as client:
        began_s = time.monotonic()
        with pytest.raises(AssessmentError):
            client.assess(assess_request(), timeout_s=1.0)
        assert time.monotonic() - began_s < 3.0
        assert asked(servers) <= 3


def test_a_stream_is_continued_elsewhere_with_what_has_no_answer(tmp_path: Path) -> None:
    requests = [assess_request() for _ in range(30)]
    with scripted([GONE, GONE], [GONE, GONE]) as servers, client_of(servers, tmp_path) as client:
        answered = [request_id for request_id, _ in client.assess_stream(requests)]
        assert sorted(answered) == sorted(request.request_id for request in requests)
        assert len(answered) == len(set(answered))


def test_a_stream_that_no_server_takes_fails_in_the_end(tmp_path: Path) -> None:
    with scripted([GONE] * 99, [GONE] * 99) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError) as failed:
            list(client.assess_stream([assess_request()]))
        assert failed.value.code == "UNAVAILABLE"


def test_a_stream_that_is_refused_for_what_it_sent_is_not_sent_again(tmp_path: Path) -> None:
    with scripted([WRONG], [WRONG]) as servers, client_of(servers, tmp_path) as client:
        with pytest.raises(AssessmentError) as failed:
            list(client.assess_stream([assess_request()]))
        assert failed.value.code == "INVALID_ARGUMENT"
        assert asked(servers) == 1


def test_what_the_callers_own_requests_raise_is_raised_to_the_caller(tmp_path: Path) -> None:
    def broken() -> Iterator[AssessRiskRequest]:
        yield assess_request()
        raise LookupError("the feed broke")

    with scripted([]) as servers, client_of(servers, tmp_path) as client:
        received: list[object] = []
        with pytest.raises(LookupError, match="the feed broke"):
            received.extend(client.assess_stream(broken()))


def test_a_caller_that_stops_listening_ends_the_stream(tmp_path: Path) -> None:
    def endless() -> Iterator[AssessRiskRequest]:
        while True:
            yield assess_request()

    with scripted([]) as servers, client_of(servers, tmp_path) as client:
        stream = client.assess_stream(endless())
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # it is a generator
        assert asked(servers) < 10_000


def test_a_report_goes_on_to_the_server_whose_ledger_holds_the_answer(tmp_path: Path) -> None:
    elsewhere = rejection_status(
        refused(RejectReason.RECORD_UNKNOWN, field="record_id", description="as the script says")
    )
    unknown = Refusal(
        code=grpc.StatusCode.NOT_FOUND, trailing=(("grpc-status-details-bin", elsewhere.SerializeToString()),)
    )
    with scripted([unknown] * 9, []) as servers, client_of(servers, tmp_path) as client:
        for number in range(4):
            report = feedback_report("ledger/1", response="ACCEPTED", given=datetime.now(tz=UTC), report_id=str(number))
            assert client.record_outcome(report) == f"{servers[1].address}/0"
