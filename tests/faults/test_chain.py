"""The chain on real processes: killed, stopped, both at once, under load.

Every answer counted and every label checked.
"""

import os
import signal
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.faults.load import Answer, Load, ask, requests
from tests.faults.running_server import RunningServer, running_server

_ATTEMPTS = 5
_SETTLING_S = 1.0
RANKS = {"full": 0, "distilled": 1, "rules": 2}
BUNDLES = {"full": "sepsis-full 1.0.0", "distilled": "sepsis-distilled 1.0.0", "rules": "news2 1.0.0"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        server.until_capable("FULL")
        yield server


@pytest.fixture
def whole(server: RunningServer) -> RunningServer:
    """The server with every tier serving."""
    server.until_capable("FULL")
    return server


def check_labels(server: RunningServer, answers: list[Answer]) -> None:
    """Each answer names the bundle of its tier, with the digest and signers that the server shows for it."""
    shown = {tier["name"]: tier["bundle"] for tier in server.pathway()["tiers"]}
    for answer in answers:
        assert answer.bundle == BUNDLES[answer.tier]
        assert answer.sha256 == shown[answer.tier]["sha256"]
        assert answer.signers == tuple(shown[answer.tier]["signers"])
        assert [RANKS[tier] for tier in answer.degraded] == list(range(RANKS[answer.tier]))


@pytest.mark.timeout(300)
def test_two_thousand_questions_get_two_thousand_labelled_answers(whole: RunningServer) -> None:
    with whole.client() as client:
        answers = [ask(client, request, timeout_s=5.0) for request in requests(2000)]
    assert len(answers) == 2000
    check_labels(whole, answers)
    assert {answer.tier for answer in answers} == {"full"}


def test_a_killed_full_worker_costs_no_answer_and_comes_back(whole: RunningServer) -> None:
    with Load(whole) as load:
        pid = hurt_until_distilled_answers(whole, load, signal.SIGKILL)
        whole.until(lambda: whole.tier("full")["worker_pid"] not in {None, pid})
        whole.until_capable("FULL")
        back_s = time.monotonic()
        whole.until(lambda: load.since(back_s)["full"] > 20)
    assert load.failures == []
    check_labels(whole, load.answers)


def test_a_stopped_full_worker_costs_no_answer_and_is_killed_and_replaced(whole: RunningServer) -> None:
    with Load(whole) as load:
        pid = hurt_until_distilled_answers(whole, load, signal.SIGSTOP)
        whole.until(lambda: whole.tier("full")["worker_pid"] != pid)
        whole.until_capable("FULL")
    assert load.failures == []
    check_labels(whole, load.answers)
    with pytest.raises(ProcessLookupError):
        _signal_zero(pid)


def hurt_until_distilled_answers(server: RunningServer, load: Load, number: signal.Signals) -> int:
    """Signal the full tier's worker; again if a busy machine had it replaced before anybody asked. Returns its pid."""
    for _ in range(_ATTEMPTS):
        server.until_capable("FULL")
        hurt_s = time.monotonic()
        pid = server.send("full", number)
        server.until(lambda: load.since(hurt_s)["distilled"] or server.tier("full")["worker_pid"] not in {None, pid})  # noqa: B023
        if load.since(hurt_s)["distilled"]:
            return pid
    pytest.fail("the distilled tier never answered for the full one")


def test_with_both_models_dead_the_rules_answer_and_health_tells_every_change(whole: RunningServer) -> None:
    seen: list[int] = []
    credentials = whole.credentials()
    with credentials.channel([whole.ready["grpc"]]) as channel:
        names = {level: f"pathway/sepsis-early-warning@{level}" for level in ("FULL", "DEGRADED", "RULES_ONLY")}
        stub: Any = HealthStub(channel)  # its type stubs know Check alone
        plain = stub.Watch(HealthCheckRequest(service="pathway/sepsis-early-warning"))
        full = stub.Watch(HealthCheckRequest(service=names["FULL"]))
        watchers = [Thread(target=_collect, args=(watch, into), daemon=True) for watch, into in ((plain, seen),)]
        levels: list[int] = []
        watchers.append(Thread(target=_collect, args=(full, levels), daemon=True))
        for watcher in watchers:
            watcher.start()
        whole.until(lambda: seen and levels)
        with Load(whole) as load:
            kill_both_until_the_rules_answer(whole, load)
            whole.until_capable("FULL")
            told = [HealthCheckResponse.NOT_SERVING, HealthCheckResponse.SERVING]
            whole.until(lambda: levels[-2:] == told)
        plain.cancel()
        full.cancel()
    assert load.failures == []
    check_labels(whole, load.answers)
    # Down at least once and up again, each change told to the plain watch as well, which can answer throughout.
    assert len(seen) >= 3
    assert set(seen) == {HealthCheckResponse.SERVING}


def kill_both_until_the_rules_answer(server: RunningServer, load: Load) -> None:
    """Kill every worker at once; again if a busy machine had one of them replaced before anybody asked."""
    for _ in range(_ATTEMPTS):
        server.until(lambda: all(tier["state"] == "SERVING" for tier in server.pathway()["tiers"]))
        pids = [int(tier["worker_pid"]) for tier in server.pathway()["tiers"] if tier["worker_pid"]]
        killed_s = time.monotonic()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(_SETTLING_S)
        if load.since(killed_s)["rules"]:
            return
    pytest.fail("the rules never answered for both models")


def test_the_log_and_metrics_tell_what_happened(whole: RunningServer) -> None:
    whole.send("full", signal.SIGKILL)
    whole.until_capable("DEGRADED")
    whole.until_capable("FULL")
    moves = [line for line in whole.log() if line["event"] == "capability_changed"]
    assert {"FULL", "DEGRADED"} <= {line["capability"] for line in moves}
    _, metrics = whole.get("/metrics")
    assert 'stepdown_answers_total{pathway="sepsis-early-warning"' in metrics
    assert "WORKER_LOST" in metrics


def test_a_terminated_server_answers_everything_it_accepted_and_ends_its_workers() -> None:
    with running_server() as server:
        server.until_capable("FULL")
        pids = [int(server.tier(tier)["worker_pid"]) for tier in ("full", "distilled")]
        with Load(server, threads=4, timeout_s=2.0) as load:
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
        refused = [text for text in load.failures if "UNAVAILABLE" not in text]
        assert refused == []
        assert len(load.answers) > 20
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                _signal_zero(pid)
        events = [line["event"] for line in server.log()]
        assert events.index("draining") < events.index("drained") < events.index("stopped")
        drained = next(line for line in server.log() if line["event"] == "drained")
        assert drained["unanswered"] == 0


def _signal_zero(pid: int) -> None:
    os.kill(pid, 0)


def _collect(watch: Iterator[HealthCheckResponse], into: list[int]) -> None:
    try:
        for response in watch:
            into.append(response.status)  # noqa: PERF401 - read while it grows
    except grpc.RpcError:
        return
