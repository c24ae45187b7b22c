"""Every fault a drill can inject, on a real server under load: no answer is lost, and the tier comes back."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.client import AssessmentError
from tests.faults.load import Load
from tests.faults.running_server import RunningServer, keep_ledger, running_server

if TYPE_CHECKING:
    from pathlib import Path

PATHWAY = "sepsis-early-warning"
OF_A_PROCESS = (
    wire.FAULT_WORKER_KILLED,
    wire.FAULT_WORKER_STOPPED,
    wire.FAULT_STICKY_ERROR,
    wire.FAULT_OUT_OF_MEMORY,
    wire.FAULT_ABORT,
)
OF_THE_DEVICE = {
    wire.FAULT_PLACEMENT_LOST: "PLACEMENT_TOO_LOW",
    wire.FAULT_PROVIDER_LOST: "PROVIDER_UNAVAILABLE",
}


def look_again_soon(settings: dict[str, Any]) -> None:
    settings["engine"] = {"unavailable_retry_s": 1.0, "probation_dwell_s": 0.1}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(look_again_soon) as server:
        yield server


@pytest.fixture
def whole(server: RunningServer) -> RunningServer:
    """The server with every tier serving and no fault left, its memory of earlier faults wiped."""
    server.until_capable("FULL")
    server.until(lambda: server.tier("full")["injected_fault"] is None)
    with server.credentials("operator").channel([server.ready["grpc"]]) as channel:
        stub = OperationsServiceStub(channel)
        stub.DisableTier(wire.DisableTierRequest(pathway=PATHWAY, tier="full", detail="between drills"), timeout=5)
        stub.EnableTier(wire.EnableTierRequest(pathway=PATHWAY, tier="full"), timeout=5)
    server.until_capable("FULL")
    return server


def inject(
    server: RunningServer, fault: "wire.Fault", *, role: str = "operator", duration_s: int = 3, delay_ms: int = 0
) -> wire.InjectedFault:
    request = wire.InjectFaultRequest(
        pathway=PATHWAY, tier="full", fault=fault, duration=Duration(seconds=duration_s), detail="rehearsal"
    )
    if delay_ms:
        request.delay.FromMilliseconds(delay_ms)
    with server.credentials(role).channel([server.ready["grpc"]]) as channel:
        try:
            return OperationsServiceStub(channel).InjectFault(request, timeout=5).injected_fault
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error


def events(server: RunningServer, name: str) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["event"] == name]


@pytest.mark.parametrize("fault", OF_A_PROCESS, ids=wire.Fault.Name)
def test_a_fault_of_a_process_costs_no_answer_and_a_new_process_serves(
    whole: RunningServer, fault: "wire.Fault"
) -> None:
    pid = whole.tier("full")["worker_pid"]
    with Load(whole, timeout_s=2.0) as load:
        hurt_s = time.monotonic()
        inject(whole, fault, duration_s=60)  # longer than the process can live with it
        whole.until(lambda: load.since(hurt_s)["distilled"] > 0)
        whole.until(lambda: whole.tier("full")["worker_pid"] not in {None, pid})
        whole.until_capable("FULL")
        back_s = time.monotonic()
        whole.until(lambda: load.since(back_s)["full"] > 10)
    assert load.failures == []


@pytest.mark.parametrize("fault", OF_THE_DEVICE, ids=wire.Fault.Name)
def test_a_lost_device_is_stepped_past_until_it_is_back(whole: RunningServer, fault: "wire.Fault") -> None:
    with Load(whole, timeout_s=2.0) as load:
        inject(whole, fault, duration_s=6)
        whole.until(lambda: whole.tier("full")["reason"] == OF_THE_DEVICE[fault])
        lost_s = time.monotonic()
        meanwhile: list[str] = []

        def is_stepped_past() -> bool:
            """Who had answered before the server was asked whether the fault is in still, and it was."""
            answered = [answer.tier for answer in tuple(load.answers) if answer.at_s >= lost_s]
            if whole.tier("full")["injected_fault"] is not None:
                meanwhile[:] = answered
            return load.since(lost_s)["distilled"] > 10

        whole.until(is_stepped_past)
        assert "full" not in meanwhile
        whole.until_capable("FULL")
    assert whole.tier("full")["injected_fault"] is None
    assert load.failures == []


def test_not_a_number_reaches_nobody_and_the_tier_rests(whole: RunningServer) -> None:
    with Load(whole, timeout_s=2.0) as load:
        hurt_s = time.monotonic()
        inject(whole, wire.FAULT_OUTPUT_NAN)
        whole.until(lambda: load.since(hurt_s)["distilled"] > 0)
        whole.until(lambda: whole.tier("full")["state"] != "SERVING")
        whole.until_capable("FULL")
    assert load.failures == []


def test_wrong_but_finite_answers_close_the_tier_within_a_probe_period(whole: RunningServer) -> None:
    with Load(whole, timeout_s=2.0) as load:
        hurt_s = time.monotonic()
        inject(whole, wire.FAULT_OUTPUT_WRONG, duration_s=30)
        whole.until(lambda: whole.tier("full")["state"] != "SERVING", within_s=10)
        assert time.monotonic() - hurt_s < 2.0 + 1.0  # one probe period, and the poll of a busy machine
        whole.until_capable("FULL")
    assert any("known answer" in str(line.get("detail", "")) for line in whole.log())
    assert load.failures == []


def test_a_slow_worker_costs_no_deadline_and_is_itself_again_when_the_drill_ends(whole: RunningServer) -> None:
    with Load(whole, timeout_s=2.0) as load:
        hurt_s = time.monotonic()
        inject(whole, wire.FAULT_WORKER_SLOW, duration_s=2, delay_ms=450)
        assert whole.tier("full")["injected_fault"]["fault"] == "WORKER_SLOW"
        whole.until(lambda: load.since(hurt_s)["distilled"] > 0)
        whole.until(lambda: whole.tier("full")["injected_fault"] is None)
        whole.until_capable("FULL")
        back_s = time.monotonic()
        whole.until(lambda: load.since(back_s)["full"] > 10)
    assert load.failures == []
    assert {line["how"] for line in events(whole, "fault_ended") if line["fault"] == "WORKER_SLOW"} == {"taken back"}


def test_who_injected_what_and_why_is_on_record(whole: RunningServer) -> None:
    before = len(events(whole, "fault_injected"))
    inject(whole, wire.FAULT_WORKER_KILLED)
    whole.until(lambda: len(events(whole, "fault_injected")) > before)
    line = events(whole, "fault_injected")[-1]
    assert (line["fault"], line["tier"], line["detail"]) == ("WORKER_KILLED", "full", "rehearsal")
    assert "/operator/" in line["caller"]


def test_an_assessor_may_not_inject_anything(whole: RunningServer) -> None:
    pid = whole.tier("full")["worker_pid"]
    with pytest.raises(AssessmentError) as denied:
        inject(whole, wire.FAULT_WORKER_KILLED, role="client")
    assert denied.value.code == "PERMISSION_DENIED"
    assert whole.tier("full")["worker_pid"] == pid


def test_in_production_nothing_is_injected_by_anyone() -> None:
    ledger: list[Path] = []

    def production(settings: dict[str, Any]) -> None:
        settings["environment"] = "production"
        ledger.append(keep_ledger(settings))

    with running_server(production) as server:
        server.until_capable("FULL")
        pid = server.tier("full")["worker_pid"]
        with pytest.raises(AssessmentError) as refused:
            inject(server, wire.FAULT_WORKER_KILLED)
        assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "DRILLS_NOT_PERMITTED")
        assert (server.tier("full")["worker_pid"], server.tier("full")["restarts"]) == (pid, 0)
        server.until(lambda: events(server, "fault_refused"))
        server.until(lambda: LedgerReader(ledger[0]).records(before=None, kind="OPERATOR_ACT", most=1))
