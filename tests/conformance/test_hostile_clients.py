"""Hostile and unlucky callers of a real server: whatever one of them does, the others are answered as before.

They hold a good certificate, and speak HTTP/2 as they please.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import pytest

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from tests.conformance.bystander import GROWTH_BYTES, MIB, Bystander, bystander_of, resident_bytes
from tests.conformance.callers import channel_as
from tests.conformance.raw_http2 import PATIENCE_S, RawConnection
from tests.faults.load import requests
from tests.faults.running_server import RunningServer, running_server
from tests.faults.test_rows_e import rules_alone
from tests.unit.transport.failures import Failure, failure_of

ASSESS = "/stepdown.api.v1.AssessmentService/AssessRisk"
BATCH = "/stepdown.api.v1.AssessmentService/BatchAssessRisk"
STREAM = "/stepdown.api.v1.AssessmentService/StreamAssessRisk"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(rules_alone) as server:
        yield server


@pytest.fixture
def bystander(server: RunningServer) -> Iterator[Bystander]:
    with bystander_of(server) as standing:
        yield standing


# --- requests that do not come ------------------------------------------------------------------------------------


def test_calls_whose_message_never_comes_take_no_thread_from_anyone(
    server: RunningServer, bystander: Bystander
) -> None:
    """More of them than calls are answered at a time."""
    with RawConnection(server) as hostile:
        for number in range(200):
            hostile.call(2 * number + 1, ASSESS)
        assert bystander.is_answered()


def test_messages_that_stop_half_way_take_no_thread_either(server: RunningServer, bystander: Bystander) -> None:
    with RawConnection(server) as hostile:
        for number in range(200):
            hostile.call(2 * number + 1, BATCH, message=b"\0" * 100, announced=MIB)
        assert bystander.is_answered()


def test_when_they_fill_every_thread_they_are_cut_off_so_that_others_are_answered(
    server: RunningServer, bystander: Bystander
) -> None:
    with RawConnection(server) as hostile:
        for number in range(1000):
            hostile.call(2 * number + 1, ASSESS)
        assert bystander.ask_as_told(timeout_s=PATIENCE_S) == "rules"
        server.until(lambda: any(line["event"] == "calls_cut_off" for line in server.log()))
        # There are more of them than threads: until the last is cut off, others may be told to come in a moment.
        assert {bystander.ask_as_told(timeout_s=PATIENCE_S) for _ in range(20)} == {"rules"}


# --- answers that nobody reads ------------------------------------------------------------------------------------


def batch(encounters: int) -> bytes:
    return wire.BatchAssessRiskRequest(requests=list(requests(encounters))).SerializeToString()


def test_answers_that_nobody_reads_cost_bounded_memory_and_nobody_an_answer(
    server: RunningServer, bystander: Bystander
) -> None:
    """A window of zero: not one byte of any answer is taken."""
    before, message = resident_bytes(server), batch(200)
    with RawConnection(server, window=0) as hostile:
        hostile.settimeout(2.0)
        with suppress(TimeoutError):  # once what is held for this client is enough, nothing more of it is let in
            for number in range(150):
                hostile.call(2 * number + 1, BATCH, message=message)
                if number % 50 == 0:
                    assert bystander.ask(timeout_s=PATIENCE_S) == "rules"
        assert bystander.ask(timeout_s=PATIENCE_S) == "rules"
        assert resident_bytes(server) - before < GROWTH_BYTES
    assert bystander.is_answered()


def test_a_stream_whose_answers_nobody_reads_stops_being_read_itself(
    server: RunningServer, bystander: Bystander
) -> None:
    before = resident_bytes(server)
    message = wire.StreamAssessRiskRequest(request=next(requests(1))).SerializeToString()
    sent = 0
    with RawConnection(server, window=0) as hostile:
        hostile.call(1, STREAM)
        hostile.settimeout(2.0)
        with suppress(TimeoutError):  # in the end gRPC's flow control keeps the rest with the client
            while sent < 20_000 and not hostile.has_ended(1):
                hostile.message(1, message)
                sent += 1
        assert bystander.is_answered()
        assert resident_bytes(server) - before < GROWTH_BYTES
    assert sent < 20_000


# --- streams --------------------------------------------------------------------------------------------------------


def test_open_streams_that_say_nothing_take_no_place_of_others(server: RunningServer, bystander: Bystander) -> None:
    """Of one caller, who runs out of places; another has its stream, and its unary answers."""
    with RawConnection(server) as hostile, channel_as(server) as channel:
        for number in range(400):
            hostile.call(2 * number + 1, STREAM)
        assert bystander.is_answered()
        asked = [wire.StreamAssessRiskRequest(request=request) for request in requests(3)]
        answers = AssessmentServiceStub(channel).StreamAssessRisk(iter(asked), timeout=PATIENCE_S)
        assert {answer.request_id for answer in answers} == {message.request.request_id for message in asked}
        assert bystander.is_answered()


# --- messages that are too large ------------------------------------------------------------------------------------


def refusal(server: RunningServer, method: str, size: int) -> Failure:
    """How a request of so many bytes fails."""
    with channel_as(server) as channel:
        unary: Callable[..., bytes] = channel.unary_unary(method)
        return failure_of(lambda: unary(b"\0" * size, timeout=PATIENCE_S))


def test_a_request_beyond_four_mebibytes_is_refused_by_the_name_of_the_limit(
    server: RunningServer, bystander: Bystander
) -> None:
    failed = refusal(server, ASSESS, 4 * MIB + 1)
    assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
    assert failed.metadata == {"maximum_request_bytes": str(4 * MIB)}
    assert str(4 * MIB) in failed.text
    assert bystander.is_answered()


def test_a_batch_beyond_its_limit_is_refused_by_the_name_of_the_limit_while_others_are_answered(
    server: RunningServer, bystander: Bystander
) -> None:
    before = resident_bytes(server)
    failures: list[Failure] = []
    senders = [threading.Thread(target=lambda: failures.append(refusal(server, BATCH, 32 * MIB + 1))) for _ in range(4)]
    for sender in senders:
        sender.start()
    assert bystander.is_answered()
    for sender in senders:
        sender.join(PATIENCE_S)
    assert {failed.code for failed in failures} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert all(str(32 * MIB) in failed.text for failed in failures)
    assert resident_bytes(server) - before < GROWTH_BYTES


def test_after_all_of_it_the_server_still_drains_with_nothing_left_behind(server: RunningServer) -> None:
    """Last of this module: a place that any of the above had kept would hold the drain up."""
    server.process.terminate()
    assert server.process.wait(PATIENCE_S) == 0
    drained = next(line for line in server.log() if line["event"] == "drained")
    assert drained["unanswered"] == 0
    assert not [line for line in server.log() if line["event"] == "incident"]
