"""SIGTERM, under load and at the worst moments: what was accepted is answered, and the end comes all the same."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import grpc
import pytest
import tomli_w
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from tests.conformance.callers import channel_as
from tests.conformance.raw_http2 import RawConnection
from tests.faults.load import requests
from tests.faults.running_server import RunningServer, demo_settings, running_server, start
from tests.faults.test_rows_e import rules_alone
from tests.unit.transport.failures import Failure, failure_of, read_failure
from tests.unit.transport.patience import until

PATIENCE_S = 40.0
GRACE_S = 15.0
CALLERS = 4
_given = requests(1_000_000)
_lock = threading.Lock()


def fresh() -> Any:  # noqa: ANN401  # a message
    with _lock:
        return next(_given)


class Callers:
    """Threads that call without pause over raw channels, heed no health, retry nothing, and keep every ending."""

    def __init__(self, server: RunningServer) -> None:
        self.answered = 0
        self.failures: list[Failure] = []
        self._server = server
        self._over = threading.Event()
        calls: tuple[Callable[[AssessmentServiceStub], int], ...] = (self._one, self._one, self._many, self._stream)
        assert len(calls) == CALLERS
        self._threads = [threading.Thread(target=self._run, args=(call,), daemon=True) for call in calls]

    def _run(self, call: Callable[[AssessmentServiceStub], int]) -> None:
        with channel_as(self._server) as channel:
            stub = AssessmentServiceStub(channel)
            while not self._over.is_set():
                try:
                    answered = call(stub)
                except grpc.RpcError as error:
                    failure = read_failure(error)
                    with _lock:
                        self.failures.append(failure)
                    time.sleep(0.02)
                else:
                    with _lock:
                        self.answered += answered

    @staticmethod
    def _one(stub: AssessmentServiceStub) -> int:
        assert stub.AssessRisk(fresh(), timeout=PATIENCE_S).assessment.answered_by.tier
        return 1

    @staticmethod
    def _many(stub: AssessmentServiceStub) -> int:
        batch = wire.BatchAssessRiskRequest(requests=[fresh() for _ in range(20)])
        results = stub.BatchAssessRisk(batch, timeout=PATIENCE_S).results
        assert all(result.HasField("assessment") for result in results)
        return len(results)

    def _stream(self, stub: AssessmentServiceStub) -> int:
        """Asks one after the other, so that at its end it knows which was accepted and not answered: at most one."""
        go_on = threading.Semaphore(1)

        def feed() -> Iterator[wire.StreamAssessRiskRequest]:
            while go_on.acquire(timeout=PATIENCE_S) and not self._over.is_set():
                yield wire.StreamAssessRiskRequest(request=fresh())

        for response in stub.StreamAssessRisk(feed()):
            assert response.HasField("assessment")
            with _lock:
                self.answered += 1
            go_on.release()
        return 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        until(lambda: self.answered > 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)


def only_refused(callers: Callers) -> None:
    """Nobody was failed but by a server that was ending, or cut off on the way to it, once at most."""
    cut = [failure for failure in callers.failures if failure.code is grpc.StatusCode.CANCELLED]
    others = {failure.code for failure in callers.failures if failure not in cut}
    assert others <= {grpc.StatusCode.UNAVAILABLE}, callers.failures
    assert {failure.reason for failure in cut} <= {""}
    assert len(cut) <= CALLERS


def ended(server: RunningServer) -> int:
    return server.process.wait(PATIENCE_S)


def drained(server: RunningServer) -> dict[str, Any]:
    return next(line for line in server.log() if line["event"] == "drained")


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def workers(server: RunningServer) -> list[int]:
    return [int(tier["worker_pid"]) for tier in server.pathway()["tiers"] if tier["worker_pid"]]


def with_models(_settings: dict[str, Any]) -> None:
    """The whole demo chain."""


@contextmanager
def whole_server(chain: Callable[[dict[str, Any]], None]) -> Iterator[RunningServer]:
    """Every tier of it serves."""
    with running_server(chain) as server:
        server.until(lambda: all(tier["state"] == "SERVING" for tier in server.pathway()["tiers"]))
        yield server


@contextmanager
def rules_server() -> Iterator[RunningServer]:
    with running_server(rules_alone) as server:
        yield server


@pytest.mark.parametrize("chain", [rules_alone, with_models], ids=["rules", "models"])
def test_nothing_that_was_accepted_is_lost_under_a_load_of_calls_batches_and_streams(
    chain: Callable[[dict[str, Any]], None],
) -> None:
    """Callers that heed nothing: their only failures are refusals, and cuts of calls that were not begun.

    gRPC cuts a call that reaches a server between its goodbye and its client's hearing it: CANCELLED without a reason,
    by which `stepdown.client` asks the next server. No caller has more than one call on the way.
    """
    with whole_server(chain) as server, Callers(server) as callers:
        server.process.terminate()
        told_s = time.monotonic()
        assert ended(server) == 0
        assert time.monotonic() - told_s < GRACE_S + 10
        assert drained(server)["unanswered"] == 0
        assert not [line for line in server.log() if line["event"] == "calls_cut_off"]
    only_refused(callers)
    assert any(failure.reason == "SERVER_DRAINING" for failure in callers.failures)


def test_it_says_not_serving_first_and_answers_new_calls_for_a_while_yet() -> None:
    with rules_server() as server, channel_as(server) as channel:
        stub, health = AssessmentServiceStub(channel), HealthStub(channel)
        stub.AssessRisk(fresh(), timeout=PATIENCE_S)
        told = health.Watch(HealthCheckRequest(service=""))  # type: ignore[attr-defined]  # its stubs know Check alone
        assert next(told).status == 1
        server.process.terminate()
        assert next(told).status == 2
        for _ in range(5):
            assert stub.AssessRisk(fresh(), timeout=PATIENCE_S).assessment.answered_by.tier == "rules"
        assert server.get("/readyz")[0] == 503
        assert server.get("/livez")[0] == 200
        assert json.loads(server.get("/api/status")[1])["server"]["stopping"] is True
        assert ended(server) == 0


def test_an_open_stream_is_told_that_the_server_stops_after_its_answers() -> None:
    with rules_server() as server, channel_as(server) as channel:
        forever = threading.Event()

        def feed() -> Iterator[wire.StreamAssessRiskRequest]:
            for _ in range(3):
                yield wire.StreamAssessRiskRequest(request=fresh())
            forever.wait(PATIENCE_S)

        answers = AssessmentServiceStub(channel).StreamAssessRisk(feed())
        assert len([next(answers) for _ in range(3)]) == 3
        server.process.terminate()
        failure = failure_of(lambda: next(answers))
        forever.set()
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert ended(server) == 0


def test_a_second_signal_ends_it_at_once_and_its_workers_with_it() -> None:
    with running_server() as server:
        server.until_capable("FULL")
        pids = workers(server)
        with RawConnection(server) as stalled:
            stalled.call(1, "/stepdown.api.v1.AssessmentService/AssessRisk")  # something that a drain waits for
            server.process.terminate()
            server.until(lambda: any(line["event"] == "draining" for line in server.log()))
            told_s = time.monotonic()
            server.process.terminate()
            assert ended(server) == 130
            assert time.monotonic() - told_s < 5
        until(lambda: not any(map(is_alive, pids)))


def test_a_worker_that_hangs_holds_nothing_up() -> None:
    with running_server() as server:
        server.until_capable("FULL")
        pids = workers(server)
        with Callers(server) as callers:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            server.process.terminate()
            assert ended(server) == 0
        assert drained(server)["unanswered"] == 0
        only_refused(callers)
        until(lambda: not any(map(is_alive, pids)))


def test_streams_that_say_nothing_and_answers_that_nobody_reads_hold_nothing_up_for_long() -> None:
    with rules_server() as server, RawConnection(server) as silent, RawConnection(server, window=0) as deaf:
        for number in range(20):
            silent.call(2 * number + 1, "/stepdown.api.v1.AssessmentService/StreamAssessRisk")
            silent.call(2 * number + 101, "/stepdown.api.v1.AssessmentService/AssessRisk")
        deaf.call(1, "/stepdown.api.v1.AssessmentService/AssessRisk", message=fresh().SerializeToString())
        deaf.call(3, "/stepdown.api.v1.AssessmentService/StreamAssessRisk")
        deaf.message(3, wire.StreamAssessRiskRequest(request=fresh()).SerializeToString())
        server.until(lambda: server.tier("rules")["answers"] >= 1)
        server.process.terminate()
        told_s = time.monotonic()
        assert ended(server) == 0
        assert time.monotonic() - told_s < GRACE_S


def test_one_whose_grace_is_over_ends_all_the_same_and_says_so() -> None:
    def hasty(settings: dict[str, Any]) -> None:
        rules_alone(settings)
        settings["server"]["drain_grace_s"] = 0.5

    with running_server(hasty) as server, RawConnection(server, window=0) as deaf:
        deaf.call(1, "/stepdown.api.v1.AssessmentService/AssessRisk", message=fresh().SerializeToString())
        server.until(lambda: server.tier("rules")["answers"] >= 1)
        server.process.terminate()
        assert ended(server) == 3
        assert drained(server)["unanswered"] == 1


@pytest.mark.parametrize("after_s", [0.05, 0.6, 1.2, 1.8])
def test_one_that_is_told_to_stop_while_it_starts_stops_and_leaves_nothing_behind(
    tmp_path: Path, after_s: float
) -> None:
    settings = demo_settings(ensure_demo_pki(tmp_path / "certificates"))
    root = Path(__file__).resolve().parents[2]
    settings["trust"]["bundle_directories"] = [str(root / "models"), str(root / "fallback_rules")]
    write(tmp_path, settings)
    process = start(tmp_path)
    time.sleep(after_s)
    process.terminate()
    code = process.wait(PATIENCE_S)
    # Before Python has come to our first line nobody but the system answers the signal.
    assert code in {0, -signal.SIGTERM}
    children = subprocess.run(["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, check=False)  # noqa: S607
    assert children.stdout.strip() == b""
    assert process.stdout is not None
    process.stdout.close()


def write(folder: Path, settings: dict[str, Any]) -> None:

    (folder / "stepdown.toml").write_bytes(tomli_w.dumps(settings).encode())
