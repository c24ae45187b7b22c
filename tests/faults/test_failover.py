"""Two real servers, a client of both: whatever becomes of one, the caller hears nothing of it for long."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any, cast

import pytest

from stepdown.client import Assessment, AssessmentClient, AssessRiskRequest
from stepdown.client.failover import Failover
from stepdown.client.servers import CHECK_S, SILENCE_S, Server
from tests.faults.load import ask, requests
from tests.faults.running_server import RunningServer, running_server
from tests.faults.test_rows_e import rules_alone

TIMEOUT_S = 20.0
A_SECOND = 1.0

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


def all_answered(client: AssessmentClient, count: int = 40) -> None:
    """So many new questions, each of which must be answered."""
    assert {ask(client, request, timeout_s=TIMEOUT_S).tier for request in fresh(count)} == {"rules"}


class Schedule:
    """What a client does for its questions, as it decides it: whom it asks, and how long it means to wait for what.

    That a caller hears of a lost server within a second is a property of this schedule. How long it took is not: that
    depends on who else uses the machine, and is measured by `python -m bench.failover`.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: dict[str, list[Server]] = {}
        self.waits_s: list[float] = []
        self.pauses_s: list[float] = []
        send, patience_s, pause = Failover._send, Failover._patience_s, Failover._pause  # noqa: SLF001 - to overhear

        def sending(call: Failover[Any], server: Server) -> None:
            question = cast("AssessRiskRequest", call._request).request_id  # noqa: SLF001
            self.asked.setdefault(question, []).append(server)
            send(call, server)

        def waiting(call: Failover[Any]) -> float:
            meant_s = patience_s(call)
            # Without anybody to go to the wait is for an answer, and ends with the caller's time.
            if call._untried:  # noqa: SLF001
                self.waits_s.append(meant_s)
            return meant_s

        def pausing(call: Failover[Any], least_s: float) -> bool:
            self.pauses_s.append(least_s)
            return pause(call, least_s)

        patch.setattr(Failover, "_send", sending)
        patch.setattr(Failover, "_patience_s", waiting)
        patch.setattr(Failover, "_pause", pausing)

    def holds(self) -> bool:
        """No server is asked twice, nobody sleeps, and a silent server is given up within a second of its silence."""
        twice = [servers for servers in self.asked.values() if len(set(servers)) < len(servers)]
        longest_s = max(self.waits_s, default=0.0)
        return not twice and not self.pauses_s and longest_s <= SILENCE_S and SILENCE_S + CHECK_S < A_SECOND


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch) -> Schedule:
    return Schedule(monkeypatch)


_given = requests(1_000_000)


def fresh(count: int) -> list[AssessRiskRequest]:
    """Requests that were not sent before."""
    return [next(_given) for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM], ids=["killed", "stopped", "told"])
def test_a_client_moves_on_at_once_whatever_befalls_its_server(
    pair: Pair, client: AssessmentClient, schedule: Schedule, number: signal.Signals
) -> None:
    pair[0].process.send_signal(number)
    try:
        all_answered(client)
    finally:
        pair[0].process.send_signal(signal.SIGCONT)
    assert schedule.holds(), (schedule.waits_s, schedule.pauses_s)
    # Once it is known to be gone it is not asked first: two questions at most met it, in turn with the other.
    moved = [servers for servers in schedule.asked.values() if len(servers) > 1]
    assert len(moved) < len(schedule.asked) / 2


def answers_of(server: RunningServer) -> int:
    return int(server.tier("rules")["answers"])


def test_a_server_that_was_stopped_is_asked_again_when_it_goes_on(pair: Pair, client: AssessmentClient) -> None:
    pair[0].process.send_signal(signal.SIGSTOP)
    all_answered(client)
    pair[0].process.send_signal(signal.SIGCONT)
    before = answers_of(pair[0])

    def is_asked_again() -> bool:
        all_answered(client, 4)
        return answers_of(pair[0]) > before + 10

    pair[0].until(is_asked_again, within_s=TIMEOUT_S)


def test_a_server_nobody_can_reach_costs_a_moment_once(schedule: Schedule) -> None:
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
            all_answered(client, 10)
            assert schedule.holds(), (schedule.waits_s, schedule.pauses_s)
            all_answered(client, 10)
            assert schedule.holds(), (schedule.waits_s, schedule.pauses_s)
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
    failures = [str(answer) for _, answer in settled if not isinstance(answer, Assessment)]
    assert failures == []
