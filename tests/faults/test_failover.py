"""Two real servers, a client of both: whatever becomes of one, the caller hears nothing of it for long."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest

from stepdown.client import Assessment, AssessmentClient, AssessRiskRequest
from tests.faults.load import ask, requests
from tests.faults.running_server import RunningServer, running_server
from tests.faults.test_rows_e import rules_alone

TIMEOUT_S = 20.0
FAILOVER_S = 3.0
"""Measured: some 20 ms, and half a second where the server was stopped; with room for a busy machine here."""

Pair = tuple[RunningServer, RunningServer]


@contextmanager
def two_servers() -> Iterator[Pair]:
    """Of one authority, so that one client may ask both."""
    with running_server(rules_alone) as first:

        def under_one_authority(folder: Path) -> None:
            copytree(first.folder / "certificates", folder / "certificates", dirs_exist_ok=True)

        with running_server(rules_alone, spoil=under_one_authority) as second:
            yield first, second


@pytest.fixture
def pair() -> Iterator[Pair]:
    with two_servers() as servers:
        yield servers


@pytest.fixture
def client(pair: Pair) -> Iterator[AssessmentClient]:
    addresses = [server.ready["grpc"] for server in pair]
    with AssessmentClient(addresses, pair[0].credentials()) as client:
        for request in requests(10):
            client.assess(request, timeout_s=TIMEOUT_S)
        yield client


def slowest_s(client: AssessmentClient, count: int = 40) -> float:
    """How long the slowest of so many new questions took; each must be answered."""
    began = [ask(client, request, timeout_s=TIMEOUT_S) for request in fresh(count)]
    assert {answer.tier for answer in began} == {"rules"}
    return max(answer.elapsed_s for answer in began)


_given = requests(1_000_000)


def fresh(count: int) -> list[AssessRiskRequest]:
    """Requests that were not sent before."""
    return [next(_given) for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM], ids=["killed", "stopped", "told"])
def test_a_client_moves_on_at_once_whatever_befalls_its_server(
    pair: Pair, client: AssessmentClient, number: signal.Signals
) -> None:
    pair[0].process.send_signal(number)
    try:
        assert slowest_s(client) < FAILOVER_S
    finally:
        pair[0].process.send_signal(signal.SIGCONT)


def answers_of(server: RunningServer) -> int:
    return int(server.tier("rules")["answers"])


def test_a_server_that_was_stopped_is_asked_again_when_it_goes_on(pair: Pair, client: AssessmentClient) -> None:
    pair[0].process.send_signal(signal.SIGSTOP)
    slowest_s(client)
    pair[0].process.send_signal(signal.SIGCONT)
    before = answers_of(pair[0])

    def is_asked_again() -> bool:
        slowest_s(client, 4)
        return answers_of(pair[0]) > before + 10

    pair[0].until(is_asked_again, within_s=TIMEOUT_S)


def test_a_server_nobody_can_reach_costs_a_moment_once() -> None:
    """A listener whose queue is full: packets to it are dropped, as by a machine that is gone."""
    with running_server(rules_alone) as server, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        full = [socket.socket() for _ in range(4)]
        for connection in full:
            connection.setblocking(False)  # noqa: FBT003
            connection.connect_ex(deaf.getsockname())
        addresses = [f"127.0.0.1:{deaf.getsockname()[1]}", server.ready["grpc"]]
        with AssessmentClient(addresses, server.credentials()) as client:
            assert slowest_s(client, 10) < FAILOVER_S
            assert slowest_s(client, 10) < FAILOVER_S
        for connection in full:
            connection.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM], ids=["killed", "stopped", "told"])
def test_a_stream_goes_on_with_the_other_server_and_every_request_is_answered_once(
    pair: Pair, client: AssessmentClient, number: signal.Signals
) -> None:
    asked = fresh(400)

    def feed() -> Iterator[AssessRiskRequest]:
        for place, request in enumerate(asked):
            if place == 150:
                pair[0].process.send_signal(number)
            time.sleep(0.005)
            yield request

    try:
        settled = list(client.assess_stream(feed()))
    finally:
        pair[0].process.send_signal(signal.SIGCONT)
    assert sorted(request_id for request_id, _ in settled) == sorted(request.request_id for request in asked)
    assert all(isinstance(answer, Assessment) for _, answer in settled)
